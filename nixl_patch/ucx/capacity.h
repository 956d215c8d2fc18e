// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file capacity.h
 * @brief Limits that are built into UCX, and how much of each a set of NICs takes.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_CAPACITY_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_CAPACITY_H

#include "topology/machine.h"
#include "ucx/transports.h"

#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** One limit of UCX and what is taken of it. */
struct capacityUse {
    std::string_view limit; /**< "transport resources" */
    unsigned used = 0;
    unsigned most = 0;
    std::string what; /**< what takes it: "32 NICs, 5 transports each" */
    std::string fix;  /**< what makes it less; "" where `used` cannot exceed `most` */

    /** "transport resources: 64 of 128 (32 NICs, 2 transports each)" */
    std::string text() const;
};

/** A device that is opened. */
struct openedDevice {
    std::string name;                          /**< "mlx5_0" of "mlx5_0:1" */
    const nicTransports *transports = nullptr; /**< nullptr: a network interface */
};

/** What is opened, and with which of UCX's settings. */
struct capacityRequest {
    std::vector<openedDevice> devices;
    unsigned rdmaDevices = 0;       /**< of the machine: UCX looks at all of them */
    bool hasGpu = false;            /**< for what the fix must keep */
    std::string tls;                /**< UCX_TLS; "" = all */
    unsigned componentDomains = 16; /**< MAX_COMPONENT_MDS in force */
    bool spreadsSmall = false;      /**< keys are narrowed to single NICs */
};

/** The request for @p devices ("mlx5_0:1", or network interfaces) of @p host, settings left out. */
capacityRequest capacityRequestOf(const machine &host, const std::vector<std::string> &devices);

/**
 * @brief Every limit that a machine with many NICs can hit.
 *
 * Counts are the least that UCX takes: transports that a build of UCX may add are not among them.
 * UCX fails with its own words beyond 128 transport resources; beyond 64 memory domains it does not
 * even notice (its map of domains has 64 bits).
 */
std::vector<capacityUse> capacityOf(const capacityRequest &request);

/** What exceeds a limit, with what makes it less; "" = nothing does. */
std::string whyTooMany(const std::vector<capacityUse> &uses);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_CAPACITY_H
