// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_CEILING_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_CEILING_H

#include "policy/calibration.h"
#include "topology/machine.h"

#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief The most that NICs can carry together, one way, from host memory or from a GPU.
 *
 * The maximum flow from the source to the ports over the links of linkModel (link_model.h).
 *
 * @param devices "mlx5_0:1" or a network interface's name; one without a port means its first.
 * @param gpu_pci Source GPU; unset: host memory.
 * @return Gbit/s; nothing when some device's limit is unknown. 0 for no devices.
 * @throws std::invalid_argument on a device or GPU that @p host does not have.
 */
std::optional<double> ceilingGbps(const machine &host,
                                  const std::vector<std::string> &devices,
                                  const std::optional<std::string> &gpu_pci = std::nullopt);

/**
 * @brief What NICs carry when UCX divides every buffer over them: linkModel::evenRate.
 *
 * UCX does not look beyond each NIC's own link, so a NIC that shares a link or is far away holds up
 * the others. Never above ceilingGbps.
 *
 * @param devices, gpu_pci And errors: as for ceilingGbps.
 * @param measured Of this host; nullptr: none. A set that was measured from that memory carries
 * what it carried; another one no more than the sets within it allow.
 */
std::optional<double> evenGbps(const machine &host,
                               const std::vector<std::string> &devices,
                               const std::optional<std::string> &gpu_pci = std::nullopt,
                               const calibration *measured = nullptr);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_CEILING_H
