// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file names.h
 * @brief Text of the model's enumerations, as JSON, Python and messages spell them.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NAMES_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NAMES_H

#include "topology/machine.h"

namespace nixlStripe {

/** "unknown", "InfiniBand", "Ethernet" or "EFA". */
const char *linkLayerName(linkLayer_t layer);

/** "unknown", "DOWN", "INIT", "ARMED", "ACTIVE" or "ACTIVE_DEFER", as in `ports/N/state`. */
const char *portStateName(portState_t state);

/** "unknown", "yes", "no node" or "denied". */
const char *accessName(access_t access);

/** "Ethernet", "InfiniBand", "loopback", "bridge", "bond" or "tunnel". */
const char *netKindName(netKind_t kind);

/** "NVIDIA", "AMD" or "other". */
const char *gpuVendorName(gpuVendor_t vendor);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NAMES_H
