// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/distance.h"

#include <algorithm>
#include <string_view>

namespace nixlStripe {
namespace {

    std::string_view
    rootOf(const pciPlace &device) {
        return device.path.empty() ? std::string_view() : device.path.front()->root;
    }

    std::size_t
    sharedSteps(const pciPlace &a, const pciPlace &b) {
        std::size_t count = 0;
        while (count < a.path.size() && count < b.path.size() && a.path[count] == b.path[count]) {
            ++count;
        }
        return count;
    }

    affinity
    between(const machine &host, const pciPlace &a, const pciPlace &b) {
        const std::size_t shared = sharedSteps(a, b);
        if (shared > 0) {
            const bool single = bridgesBelow(a, shared) <= 1 && bridgesBelow(b, shared) <= 1;
            return {single ? distance_t::PIX : distance_t::PXB, static_cast<unsigned>(shared) + 1};
        }
        const std::string_view root_a = rootOf(a);
        const std::string_view root_b = rootOf(b);
        if (!root_a.empty() && root_a == root_b) {
            return {distance_t::PHB, 1};
        }
        const bool both_known = a.numaNode != unknown_numa && b.numaNode != unknown_numa;
        const bool same_node = both_known ? a.numaNode == b.numaNode : host.numaNodes.size() <= 1;
        if (!same_node) {
            return {distance_t::SYS, 0};
        }
        const bool speaks_of_cpus =
            both_known && !a.path.empty() && !b.path.empty() && root_a.empty() && root_b.empty();
        return {speaks_of_cpus ? distance_t::PHB : distance_t::NODE, 0};
    }

} // namespace

const char *
distanceName(distance_t distance) {
    switch (distance) {
    case distance_t::PIX:
        return "PIX";
    case distance_t::PXB:
        return "PXB";
    case distance_t::PHB:
        return "PHB";
    case distance_t::NODE:
        return "NODE";
    case distance_t::SYS:
        break;
    }
    return "SYS";
}

pciPlace
placeOf(const machine &host, const std::string &address, int numa_node) {
    pciPlace result;
    result.numaNode = numa_node;
    auto it = host.pci.find(address);
    if (it != host.pci.end() && it->second.numaNode != unknown_numa) {
        result.numaNode = it->second.numaNode;
    }
    // No path is longer than the map unless its parents form a cycle.
    while (it != host.pci.end() && result.path.size() < host.pci.size()) {
        result.path.push_back(&it->second);
        it = host.pci.find(it->second.parent);
    }
    std::reverse(result.path.begin(), result.path.end());
    return result;
}

unsigned
bridgesBelow(const pciPlace &device, std::size_t shared) {
    unsigned bridges = 0;
    for (std::size_t i = shared; i + 1 < device.path.size(); ++i) {
        bridges += device.path[i]->isWholeSwitch ? 2U : 1U;
    }
    return bridges;
}

bool
isNearer(const affinity &a, const affinity &b) {
    return a.distance != b.distance ? a.distance < b.distance : a.commonDepth > b.commonDepth;
}

affinity
affinityBetween(const machine &host, const std::string &a, const std::string &b) {
    return between(host, placeOf(host, a, unknown_numa), placeOf(host, b, unknown_numa));
}

affinity
affinityBetween(const machine &host, const gpu &accelerator, const rdmaNic &nic) {
    return between(host,
                   placeOf(host, accelerator.pci, accelerator.numaNode),
                   placeOf(host, nic.pci, nic.numaNode));
}

affinities::affinities(const machine &host,
                       const std::vector<const gpu *> &accelerators,
                       const std::vector<const rdmaNic *> &nics)
    : host_(host) {
    for (const gpu *each : accelerators) {
        gpus_.push_back(placeOf(host, each->pci, each->numaNode));
    }
    for (const rdmaNic *each : nics) {
        nics_.push_back(placeOf(host, each->pci, each->numaNode));
    }
}

affinity
affinities::of(std::size_t accelerator, std::size_t nic) const {
    return between(host_, gpus_.at(accelerator), nics_.at(nic));
}

} // namespace nixlStripe
