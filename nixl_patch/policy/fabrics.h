// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file fabrics.h
 * @brief Which NICs are on one fabric, as far as a host can tell.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_FABRICS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_FABRICS_H

#include "policy/usable_rules.h"

#include <string>
#include <vector>

namespace nixlStripe {

/** Whether it is a network interface that stands in for a NIC (tcp_nics.h). */
bool isInterface(const candidate &nic);

/**
 * @brief The fabric of each NIC: kind of network, vendor, InfiniBand subnet; "" = of no
 * consequence.
 *
 * The driver counts where NICs of several vendors are on one kind of network: theirs are seldom
 * wired to the same switches, and never alike to UCX. The subnet prefix counts where more than half
 * of the InfiniBand NICs, and at least two, share one: the others are on a fabric of their own,
 * such as the storage's. Where each NIC has another prefix, these are the rails of one fabric.
 */
std::vector<std::string> fabricsOf(const machine &host, const candidates &nics);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_FABRICS_H
