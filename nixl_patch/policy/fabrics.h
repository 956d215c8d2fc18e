// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file fabrics.h
 * @brief What a port is wired to, as far as a host can tell.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_FABRICS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_FABRICS_H

#include "policy/usable_rules.h"

#include <string>
#include <string_view>
#include <tuple>

namespace nixlStripe {

/** Whether it is a network interface that stands in for a NIC (tcp_nics.h). */
bool isInterface(const candidate &nic);

/** The vendor of Soft-RoCE. */
constexpr std::string_view software_vendor = "software";

/**
 * What is wired together, as far as a host can tell: kind of network, vendor, InfiniBand subnet.
 *
 * NICs of several vendors on one kind of network are seldom wired to the same switches, and never
 * alike to UCX; Soft-RoCE is a vendor of its own. Which subnets are one fabric is told in planes.h.
 */
struct fabric {
    std::string network; /**< "InfiniBand", "Omni-Path", "Ethernet", "EFA"; "" = unknown, or TCP */
    std::string vendor;  /**< PCI vendor, or software; "" = unknown */
    std::string
        subnets; /**< the first of them by PCI address of its NICs; "" = of no consequence */

    /** Whether it is the same but for its subnets. */
    bool
    isOfKind(const fabric &other) const {
        return network == other.network && vendor == other.vendor;
    }

    bool
    operator<(const fabric &other) const {
        return std::tie(network, vendor, subnets) <
               std::tie(other.network, other.vendor, other.subnets);
    }

    bool
    operator==(const fabric &other) const {
        return isOfKind(other) && subnets == other.subnets;
    }
};

/** The fabric of a port of @p nic; its `subnets` is that of the port alone. */
fabric fabricOf(const machine &host, const candidate &nic, unsigned number);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_FABRICS_H
