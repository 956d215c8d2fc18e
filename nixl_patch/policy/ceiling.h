// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_CEILING_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_CEILING_H

#include "topology/machine.h"

#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief The most that NICs can carry together, one way, from host memory or from a GPU.
 *
 * The maximum flow from the source to the ports: port rates, and every PCIe link on the way, each
 * counted once however many NICs share it (so are ports that virtual functions share, and the link
 * of two functions of one card). Links that the machine does not know, or that an idle GPU has
 * slowed down, limit nothing; nor do root complexes and the links between sockets, whose speed no
 * source tells. The GPU of a Grace superchip (GB200) reaches its NICs as host memory does.
 *
 * @param devices "mlx5_0:1" or a network interface's name; one without a port means its first.
 * @param gpu_pci Source GPU; unset: host memory.
 * @return Gbit/s; nothing when some device's limit is unknown. 0 for no devices.
 * @throws std::invalid_argument on a device or GPU that @p host does not have.
 */
std::optional<double> ceilingGbps(const machine &host,
                                  const std::vector<std::string> &devices,
                                  const std::optional<std::string> &gpu_pci = std::nullopt);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_CEILING_H
