// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/pcie_link.h"

#include <cmath>
#include <initializer_list>

namespace nixlStripe {

pcieLink
linkFromPayload(double gigabytes_per_second) {
    struct generation {
        double gtps;
        double efficiency;
    };
    // hwloc multiplies the speed of the line by its encoding: 8b/10b, 128b/130b, 242B/256B flits.
    constexpr generation generations[] = {{2.5, 0.8},
                                          {5, 0.8},
                                          {8, 128.0 / 130},
                                          {16, 128.0 / 130},
                                          {32, 128.0 / 130},
                                          {64, 242.0 / 256},
                                          {64, 128.0 / 130}};
    constexpr double tolerance = 0.005;
    for (const unsigned width : {16U, 12U, 8U, 4U, 2U, 1U, 32U}) {
        for (const generation &candidate : generations) {
            const double payload = candidate.gtps * candidate.efficiency * width / 8;
            if (std::abs(payload - gigabytes_per_second) < tolerance * payload) {
                return {candidate.gtps, width};
            }
        }
    }
    return {};
}

double
pcieGbps(double link_gtps, unsigned link_width) {
    constexpr double fastest_8b10b_gtps = 5;
    const double encoding = link_gtps <= fastest_8b10b_gtps ? 8.0 / 10 : 128.0 / 130;
    return link_gtps * link_width * encoding;
}

double
linkGbps(const machine &host, const std::string &address) {
    const auto it = host.pci.find(address);
    return it == host.pci.end() ? 0 : pcieGbps(it->second.linkGtps, it->second.linkWidth);
}

} // namespace nixlStripe
