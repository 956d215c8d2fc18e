// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SOURCE_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SOURCE_H

#include "topology/machine.h"

#include <string>

namespace nixlStripe {

/**
 * @brief Reads a machine from whatever @p path is: a sysfs root (a folder: "/sys" or a copy of it),
 *        an hwloc XML or an NCCL topology XML.
 *
 * On this machine's own /sys the topology file that NCCL would use is laid over the PCIe tree, see
 * applyNcclEnvironment().
 *
 * @throws std::invalid_argument naming @p path when it is missing or of no known kind.
 */
machine readMachine(const std::string &path);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SOURCE_H
