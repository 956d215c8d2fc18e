// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file fair.h
 * @brief The host's NICs dealt out to its GPUs, the same on every rank without communication.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_FAIR_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_FAIR_H

#include "policy/usable.h"
#include "topology/machine.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace nixlStripe {

/** GPU's PCI address -> indices into the NICs dealt out, in the order in which it chose them. */
using nicShares = std::map<std::string, std::vector<std::size_t>>;

/**
 * @brief GPUs that take part: every NVIDIA and AMD one that the host has, else every one there is.
 *
 * PCI lists the whole host's GPUs also in a container that may use one of them, which is what makes
 * the shares the same everywhere. Order of PCI addresses.
 */
std::vector<const gpu *> competingGpus(const machine &host);

/**
 * @brief Deals @p nics out to the GPUs of @p host in rounds.
 *
 * In a round every GPU takes one NIC among those that the fewest GPUs have. The GPU with the best
 * affinity to one of those chooses first, then the one with the lowest PCI address. It takes the
 * nearest (isNearer), then one that is not known to be on another NUMA node, then the first by
 * natural order. Affinity is a tree, so nobody's choice here costs another GPU a nearer NIC. The
 * rounds end when every GPU and every NIC has been served: shares are disjoint and differ by one
 * NIC at most where there are as many NICs as GPUs; where there are fewer, every GPU has one and
 * the NICs are shared evenly. ModelExpress measured why distinct comes before near: four readers on
 * one NIC cost 4.45x, a NIC on the other socket nothing measurable.
 *
 * The first entry of a share is the GPU's one NIC under `auto`.
 */
nicShares dealNics(const machine &host, const std::vector<nicPort> &nics);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_FAIR_H
