// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_FLAT_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_FLAT_H

#include "topology/machine.h"

namespace nixlStripe {

/**
 * @brief Whether affinity says nothing: there are GPUs and NICs, none has a NUMA node, and every
 * GPU is as far (isNearer) from one NIC as from any other.
 *
 * Takes time in the number of devices, not of pairs. @p host has a tree without cycles.
 */
bool isFlatMachine(const machine &host);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_FLAT_H
