// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file usable_ranks.h
 * @brief The preferences among usable NICs: addresses, bonds, fabrics, rates.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_RANKS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_RANKS_H

#include "policy/usable_rules.h"

#include <string>
#include <vector>

namespace nixlStripe {

/** Ports whose addresses are all of another network namespace: UCX finds no route from there. */
std::vector<std::string> judgeNamespace(const scene &at, candidates &nics);

/** Members of bonds that have no address of their own: the one that carries the bond's has. */
std::vector<std::string> judgeMember(const scene &at, candidates &nics);

/** Bonds beside NICs without one that carry as much (port_groups.h). */
std::vector<std::string> judgeBond(const scene &at, candidates &nics);

/** NICs without a bond beside bonds of their fabric and rate that carry more. */
std::vector<std::string> judgePlain(const scene &at, candidates &nics);

/** One fabric, that of the best group: they cannot talk to each other. */
std::vector<std::string> judgeFabric(const scene &at, candidates &nics);

/**
 * One rate, that of the best group, so that a faster front-end NIC does not displace the compute
 * NICs. Not where the user gave a minimum rate.
 */
std::vector<std::string> judgeRate(const scene &at, candidates &nics);

/**
 * NICs near no GPU, where the NICs of the best group that are near one are by far more and no GPU
 * is without: such machines have a few for storage and as a front end, often of the same kind.
 */
std::vector<std::string> judgeAside(const scene &at, candidates &nics);

/** RoCE NICs whose addresses reach their own link only, where most others have better ones. */
std::vector<std::string> judgeLinkLocal(const scene &at, candidates &nics);

/** NICs whose PCIe link is so narrow that UCX would leave their lane out. */
std::vector<std::string> judgeNarrowLink(const scene &at, candidates &nics);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_RANKS_H
