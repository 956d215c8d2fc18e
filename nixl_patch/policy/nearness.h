// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nearness.h
 * @brief Which NICs are near a GPU: below the same PCIe root complex.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_NEARNESS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_NEARNESS_H

#include "topology/machine.h"

#include <set>
#include <string>
#include <vector>

namespace nixlStripe {

/** The root complexes of a machine that have a GPU; none where its PCI tree is flat. */
class nearness {
public:
    explicit nearness(const machine &host);

    bool isNear(const rdmaNic &nic) const;

    /** Whether there are such root complexes and each has one of @p nics. */
    bool areAllServed(const std::vector<const rdmaNic *> &nics) const;

private:
    std::string rootOf(const std::string &pci) const;

    const machine &host_;
    std::set<std::string> roots_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_NEARNESS_H
