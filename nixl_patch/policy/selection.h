// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file selection.h
 * @brief Which NICs: pure functions of a machine. The plugin and Python call the same ones.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_SELECTION_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_SELECTION_H

#include "policy/calibration.h"
#include "topology/machine.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

struct stripeSpec;

/** What a user asked for, after precedence between parameters and environment was settled. */
struct stripeRequest {
    std::string stripe; /**< policy, count or list as written; "" and "off" select nothing */
    std::optional<std::string> gpuPci; /**< PCI address of the GPU whose affinity counts */
    std::optional<double> minRateGbps; /**< Gbit/s; unset: as findUsable says */
    /** Parameters or variables that the values came from; named in errors and reasons. */
    std::string stripeKey = "stripe";
    std::string gpuKey = "stripe_gpu";
    std::string minRateKey = "stripe_min_rate_gbps";
    std::shared_ptr<const calibration> measured; /**< may be of another machine; none: nullptr */
};

struct selection {
    bool active = false; /**< false: "" or "off", or no usable NIC: nothing changes */
    std::vector<std::string>
        devices; /**< "mlx5_0:1" (ports always spelled out), "eth0"; natural order */
    std::map<std::string, std::string> excluded;   /**< NIC name -> reason that a user can read */
    std::map<std::string, std::string> excludedBy; /**< NIC name -> rule, as in usableNics */
    std::vector<std::string> warnings;             /**< e.g. no usable NIC */
    bool areMeasured = false;                      /**< the request's calibration was gone by */
};

/**
 * @brief Whether @p stripe can only be answered for a particular GPU (numa, nearest, fair, auto).
 * @throws std::invalid_argument on a text that is no policy, count or list.
 */
bool needsGpu(std::string_view stripe);

/**
 * @brief Applies a policy to a machine. What makes a NIC usable: findUsable (usable.h).
 *
 * - A policy takes what policyTable() (policies.h) says.
 * - A count takes the nearest ones, then natural order; in natural order alone where no GPU is
 *   known, since host memory is equally far from all. Fewer usable ones than that: all of them and
 *   a warning.
 * - `best` goes by the GPU where one is known, else by host memory.
 * - A list takes what it names. An entry that no device matches is an error, in a list of what not
 *   to use a warning (one value serves hosts that differ).
 * - Where a machine does not say the GPU's NUMA node, or that of any NIC, or no usable NIC is on
 *   it, `numa` takes every usable NIC and warns: no preference empties the set.
 * - On a machine without any RDMA device the NICs are network interfaces, for TCP (asTcpNics), by
 *   their bare names; a warning says so. Affinity is that of their PCI functions; virtual ones have
 *   none, so `numa` and `nearest` take them all, `fair` deals them out by name.
 *
 * @throws std::invalid_argument on a bad value, a device that does not exist, a GPU that is needed
 *         and missing or unknown to @p host, or more than max_rails NICs.
 */
selection selectNics(const machine &host, const stripeRequest &request);

/** The same for @p spec, which request.stripe was parsed to. */
selection selectNics(const machine &host, const stripeSpec &spec, const stripeRequest &request);

/**
 * @brief Checks that a list speaks of devices that @p host has; nothing for other requests.
 * @throws std::invalid_argument as selectNics does.
 */
void checkStripe(const machine &host, const stripeSpec &spec, const stripeRequest &request);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_SELECTION_H
