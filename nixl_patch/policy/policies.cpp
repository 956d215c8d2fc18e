// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/policies.h"

#include "policy/fair.h"
#include "topology/distance.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    /** Keeps what @p why_not has no reason against. */
    template <class Rule>
    void
    keepOnly(usableNics &usable, Rule why_not) {
        std::vector<nicPort> kept;
        for (std::size_t i = 0; i < usable.ports.size(); ++i) {
            const std::string reason = why_not(i);
            if (reason.empty()) {
                kept.push_back(usable.ports[i]);
            } else {
                usable.excluded[usable.ports[i].nic->name] = reason;
            }
        }
        usable.ports = std::move(kept);
    }

    std::string
    nodeText(int numa_node) {
        return numa_node == unknown_numa ? "an unknown NUMA node"
                                         : "NUMA node " + std::to_string(numa_node);
    }

    void
    keepNuma(usableNics &usable, const gpu &target) {
        if (target.numaNode == unknown_numa) {
            usable.warnings.push_back("the NUMA node of GPU " + target.pci +
                                      " is unknown: 'numa' takes every usable NIC");
            return;
        }
        const auto is_known = [](const nicPort &at) { return at.nic->numaNode != unknown_numa; };
        if (!usable.ports.empty() &&
            std::none_of(usable.ports.begin(), usable.ports.end(), is_known)) {
            usable.warnings.push_back(
                "the NUMA node of no NIC is known: 'numa' takes every usable NIC");
            return;
        }
        keepOnly(usable, [&](std::size_t i) {
            const int node = usable.ports[i].nic->numaNode;
            return node == target.numaNode ? ""
                                           : "on " + nodeText(node) + ", GPU " + target.pci +
                                                 " is on " + nodeText(target.numaNode);
        });
    }

    std::vector<affinity>
    affinities(const machine &host, const usableNics &usable, const gpu &target) {
        std::vector<affinity> result;
        for (const nicPort &at : usable.ports) {
            result.push_back(affinityBetween(host, target, *at.nic));
        }
        return result;
    }

    void
    keepNearest(const machine &host, usableNics &usable, const gpu &target) {
        const std::vector<affinity> ways = affinities(host, usable, target);
        distance_t best = distance_t::SYS;
        for (const affinity &way : ways) {
            best = std::min(best, way.distance);
        }
        keepOnly(usable, [&](std::size_t i) {
            return ways[i].distance == best
                       ? std::string()
                       : std::string(distanceName(ways[i].distance)) + " from GPU " + target.pci +
                             ", the nearest are " + distanceName(best);
        });
    }

    void
    keepShare(const machine &host, usableNics &usable, const gpu &target, bool only_first) {
        if (usable.ports.empty()) {
            return;
        }
        const nicShares shares = dealNics(host, usable.ports);
        std::map<std::size_t, std::string> owners;
        for (const auto &[address, share] : shares) {
            for (const std::size_t nic : share) {
                owners[nic] += (owners[nic].empty() ? "" : ", ") + address;
            }
        }
        const std::vector<std::size_t> &mine = shares.at(target.pci);
        keepOnly(usable, [&](std::size_t i) {
            const auto place = std::find(mine.begin(), mine.end(), i);
            if (place == mine.end()) {
                return "share of GPU " + owners[i];
            }
            const bool is_taken = place == mine.begin() || !only_first;
            return is_taken ? std::string() : "'auto' takes one NIC for a GPU, the nearest";
        });
    }

    void
    keepCount(const machine &host, usableNics &usable, const gpu *target, unsigned count) {
        std::vector<std::size_t> order(usable.ports.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            order[i] = i;
        }
        if (target) {
            const std::vector<affinity> ways = affinities(host, usable, *target);
            std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
                return isNearer(ways[a], ways[b]);
            });
        }
        if (count > order.size()) {
            usable.warnings.push_back(std::to_string(count) + " NICs asked for, " +
                                      std::to_string(order.size()) + " usable");
            return;
        }
        order.resize(count);
        keepOnly(usable, [&](std::size_t i) {
            return std::find(order.begin(), order.end(), i) != order.end()
                       ? std::string()
                       : "not among the " + std::to_string(count) +
                             (target ? " nearest to GPU " + target->pci : " first by name");
        });
    }

} // namespace

void
applyPolicy(const machine &host, const stripeSpec &spec, const gpu *target, usableNics &usable) {
    switch (spec.kind) {
    case stripeSpec::kind_t::NUMA:
        return keepNuma(usable, *target);
    case stripeSpec::kind_t::NEAREST:
        return keepNearest(host, usable, *target);
    case stripeSpec::kind_t::FAIR:
        return keepShare(host, usable, *target, false);
    case stripeSpec::kind_t::AUTO:
        return keepShare(host, usable, *target, true);
    case stripeSpec::kind_t::COUNT:
        return keepCount(host, usable, target, spec.count);
    case stripeSpec::kind_t::OFF:
    case stripeSpec::kind_t::ALL:
    case stripeSpec::kind_t::LIST:
        return; // findUsable has done it all
    }
}

} // namespace nixlStripe
