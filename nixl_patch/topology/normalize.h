// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NORMALIZE_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NORMALIZE_H

#include "topology/machine.h"

namespace nixlStripe {

/**
 * @brief What every source does last, so that the same hardware gives the same machine.
 *
 * Sorts NICs and network interfaces by natural order, ports by number, GPUs by PCI address (as
 * numbers), NUMA nodes ascending without duplicates. A PCI function without a NUMA node takes the
 * one of the nearest bridge above it that has one; NICs, GPUs and interfaces take that of their PCI
 * function. Nodes that devices name are added to `numaNodes`. Links of
 * emulated bridges become unknown. A parent that is missing from `pci`
 * or lies on a cycle is cut off (""). Sets `port.hasGid` from `gids` and `isFlat`.
 */
void normalize(machine &host);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NORMALIZE_H
