// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file usable.h
 * @brief Which NICs can carry NIXL's traffic at all, and why the others cannot.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_H

#include "policy/nccl_list.h"
#include "topology/machine.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Port number of a network interface that stands in for a NIC (tcp_nics.h): it has no ports. */
constexpr unsigned no_port = 0;

/** Two decimal spellings of one rate differ by less than this part of it. */
constexpr double rate_tolerance = 1e-3;

/** What speaks against a NIC beyond the rules of findUsable. */
struct refusal {
    std::string text;        /**< "" = nothing */
    bool canBeNamed = false; /**< a list that names the NIC in full overrides it */
};

/** UCX drops lanes that are slower than the best one divided by this (MULTI_LANE_MAX_RATIO). */
constexpr double lane_ratio = 4;

using refusals_t = std::map<std::string, refusal>; /**< by name */

/** One port of one NIC: what UCX calls a device and a transfer uses as a rail. */
struct nicPort {
    const rdmaNic *nic = nullptr; /**< into the machine it was found in */
    unsigned port = 1;
    double rateGbps = 0; /**< 0 = unknown */

    /** "mlx5_0:1", "eth0". */
    std::string text() const;
};

struct usableNics {
    std::vector<nicPort> ports;                  /**< the machine's order, which is natural */
    std::map<std::string, std::string> excluded; /**< NIC name -> reason */
    /** NIC name -> id of the rule (usable_rules.h), "policy" where a policy took others. */
    std::map<std::string, std::string> excludedBy;
    std::vector<std::string> warnings;
    bool areMeasured = false; /**< a policy went by a calibration */
};

/** What narrows the usable NICs down, as the user gave it. */
struct usableRequest {
    const ncclList *list = nullptr;    /**< nullptr: every NIC is asked for */
    std::optional<double> minRateGbps; /**< Gbit/s; unset: that of the NICs that carry most */
    std::string minRateKey = "stripe_min_rate_gbps";
    const refusals_t *refused = nullptr; /**< nullptr: none */
};

/**
 * @brief The NICs that can be used: every NIC of @p host is either in `ports` or in `excluded`.
 *
 * The rules are those of usableRules() (usable_rules.h), in their order: what makes a NIC unusable
 * excludes it, what makes others better does so only where others are there. An explicit minimum
 * rate holds for named devices too; a rate that the source does not know satisfies the automatic
 * one where no rate is known (a network interface's always does) and never an explicit one above 0.
 *
 * A NIC stands with one port, the lowest ACTIVE one whose rate qualifies, or with the ports that a
 * list names (`mlx5_0:1,mlx5_0:2` are two rails).
 */
usableNics findUsable(const machine &host, const usableRequest &request);

/**
 * @brief Leaves out what a policy has a reason against.
 * @param reasons One for each of `usable.ports`; "" keeps it.
 */
void leaveOut(usableNics &usable, const std::vector<std::string> &reasons);

/** Gbit/s of a port, or of its PCIe link where that is less; 0 = unknown. */
double carriedGbps(const machine &host, const nicPort &at);

/** "400", "56.25": a rate for messages, without needless digits. */
std::string rateText(double gbps);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_H
