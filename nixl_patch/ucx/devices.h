// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_DEVICES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_DEVICES_H

#include "topology/machine.h"

#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/**
 * @brief Turns a user's device list into the names that every UCX version matches.
 *
 * RDMA devices get their port spelled out (the lowest active one where the user named none): a bare
 * name matches nothing before UCX 1.21. Network interfaces stay as they are.
 *
 * @param key Parameter or variable that @p text came from; named in errors.
 * @throws std::invalid_argument naming key, value and the devices that exist: a bad list, a device
 *         or port that does not exist, a port on a network interface, the same port twice, more
 *         than max_rails entries (UCX's own limit too).
 */
std::vector<std::string>
resolveDeviceList(std::string_view key, std::string_view text, const machine &host);

/** Whether none of @p devices ("name" or "name:port") is an RDMA device of @p host. */
bool areNetInterfaces(const std::vector<std::string> &devices, const machine &host);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_DEVICES_H
