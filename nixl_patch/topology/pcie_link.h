// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCIE_LINK_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCIE_LINK_H

#include "topology/machine.h"

#include <string>

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

/**
 * @brief What a PCIe link carries each way, Gbit/s: rate x lanes x encoding.
 * @param link_gtps GT/s a lane; up to 5 (PCIe 2) the encoding is 8b/10b, above 128b/130b. Packet
 *        headers are not counted, so this is an upper bound.
 * @return 0 when either is 0, i.e. unknown.
 */
double pcieGbps(double link_gtps, unsigned link_width);

/** What the link of the PCI device at @p address carries each way, Gbit/s; 0 = unknown. */
double linkGbps(const machine &host, const std::string &address);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCIE_LINK_H
