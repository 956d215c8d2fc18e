// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCIE_LINK_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCIE_LINK_H

namespace nixlStripe {

/** Speed and width of a link as it was trained. */
struct pcieLink {
    double gtps = 0;    /**< GT/s per lane; 0 = unknown */
    unsigned width = 0; /**< lanes; 0 = unknown */
};

/**
 * @brief The link that carries a payload of @p gigabytes_per_second, as hwloc records it.
 *
 * A payload does not tell its link: 15.75 GB/s is Gen3 x16, Gen4 x8 and Gen5 x4 alike. The widest
 * of up to 16 lanes is taken, of the oldest generation that has it; speed times width, which is
 * what bandwidth depends on, is the same in all of them. Unknown for a payload that no link has.
 */
pcieLink linkFromPayload(double gigabytes_per_second);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCIE_LINK_H
