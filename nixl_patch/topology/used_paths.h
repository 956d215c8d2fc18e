// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_USED_PATHS_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_USED_PATHS_H

#include "topology/machine.h"

namespace nixlStripe {

/** Drops PCI functions that are neither a NIC, a network interface or a GPU nor above one. */
void keepUsedPaths(machine &host);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_USED_PATHS_H
