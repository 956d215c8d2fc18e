// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_H

#include "topology/machine.h"

#include <string>

namespace nixlStripe {

/**
 * @brief Reads a machine from a sysfs root.
 *
 * Nothing that a sysfs holds makes it fail but its size: a file that is missing, empty or garbage
 * leaves its field unknown, a device that vanishes half way is left out or half filled.
 *
 * @param root "/sys" or a copy of it. It is live (`isLive`) when it is the real /sys.
 * @param dev Where `infiniband/uverbsN` device nodes are; "" = /dev for a live root, and for a copy
 *            access stays UNKNOWN.
 * @throws std::invalid_argument naming @p root when it is not a folder that can be opened, or is
 *         over a limit of limits.h.
 */
machine readSysfs(const std::string &root = "/sys", const std::string &dev = "");

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_H
