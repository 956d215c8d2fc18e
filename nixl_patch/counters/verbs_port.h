// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file verbs_port.h
 * @brief What only the device's own node tells of a port.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_VERBS_PORT_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_VERBS_PORT_H

#include <string>

namespace nixlStripe {

/**
 * @brief Payload of a full packet of a port, bytes: 256 to 4096; 0 when it cannot be had.
 * @param node Path of the device's node: /dev/infiniband/uverbs0.
 *
 * Two commands of the kernel's uverbs ABI, so that no library is needed. sysfs and netlink do not
 * tell the MTU of a port.
 */
unsigned activeMtu(const std::string &node, unsigned port);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_VERBS_PORT_H
