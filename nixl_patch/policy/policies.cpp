// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/policies.h"

#include "policy/best.h"
#include "policy/fair.h"
#include "topology/distance.h"
#include "topology/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    /** Keeps what @p why_not has no reason against. */
    template <class Rule>
    void
    keepOnly(usableNics &usable, Rule why_not) {
        std::vector<std::string> reasons;
        for (std::size_t i = 0; i < usable.ports.size(); ++i) {
            reasons.push_back(why_not(i));
        }
        leaveOut(usable, reasons);
    }

    std::string
    nodeText(int numa_node) {
        return numa_node == unknown_numa ? "an unknown NUMA node"
                                         : "NUMA node " + std::to_string(numa_node);
    }

    void
    keepAll(const policyScene &, usableNics &) {}

    void
    keepNuma(const policyScene &scene, usableNics &usable) {
        const gpu &target = *scene.target;
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
        const auto is_there = [&](const nicPort &at) {
            return at.nic->numaNode == target.numaNode;
        };
        if (!usable.ports.empty() &&
            std::none_of(usable.ports.begin(), usable.ports.end(), is_there)) {
            usable.warnings.push_back("no usable NIC is on " + nodeText(target.numaNode) +
                                      ", where GPU " + target.pci +
                                      " is: 'numa' takes every usable NIC");
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
    waysTo(const machine &host, const usableNics &usable, const gpu &target) {
        std::vector<affinity> result;
        for (const nicPort &at : usable.ports) {
            result.push_back(affinityBetween(host, target, *at.nic));
        }
        return result;
    }

    void
    keepNearest(const policyScene &scene, usableNics &usable) {
        const gpu &target = *scene.target;
        const std::vector<affinity> ways = waysTo(scene.host, usable, target);
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
    keepShare(const policyScene &scene, usableNics &usable, bool only_first) {
        if (usable.ports.empty()) {
            return;
        }
        const nicShares shares = dealNics(scene.host, usable.ports);
        std::map<std::size_t, std::string> owners;
        for (const auto &[address, share] : shares) {
            for (const std::size_t nic : share) {
                append(owners[nic], address);
            }
        }
        const std::vector<std::size_t> &share = shares.at(scene.target->pci);
        const std::set<std::size_t> mine(share.begin(), share.end());
        keepOnly(usable, [&](std::size_t i) {
            if (mine.count(i) == 0) {
                return "share of GPU " + owners[i];
            }
            const bool is_taken = i == share.front() || !only_first;
            return is_taken ? std::string() : "'auto' takes one NIC for a GPU, the nearest";
        });
    }

    void
    keepFair(const policyScene &scene, usableNics &usable) {
        keepShare(scene, usable, false);
    }

    void
    keepFirstOfShare(const policyScene &scene, usableNics &usable) {
        keepShare(scene, usable, true);
    }

} // namespace

const std::vector<policyInfo> &
policyTable() {
    // Never destroyed: an engine may be made while the process ends.
    static const auto &table = *new std::vector<policyInfo>{
        {"all", gpuNeed_t::NONE, keepAll, "every usable NIC"},
        {"best",
         gpuNeed_t::WELCOME,
         keepBest,
         "those that carry most together, from the GPU or from host memory, as measured by "
         "`nixl-stripe tune` or as the machine's links say; never less than the best NIC alone",
         true},
        {"numa", gpuNeed_t::ANY, keepNuma, "those on the GPU's NUMA node"},
        {"nearest", gpuNeed_t::ANY, keepNearest, "those at the GPU's best PCIe distance"},
        {"fair",
         gpuNeed_t::COMPETING,
         keepFair,
         "the GPU's share of the host's NICs, the same on every rank without communication"},
        {"auto",
         gpuNeed_t::COMPETING,
         keepFirstOfShare,
         "one NIC by affinity, different GPUs on different NICs"},
        {"off", gpuNeed_t::NONE, nullptr, "nothing changes, also against NIXL_UCX_STRIPE"},
    };
    return table;
}

const policyInfo *
findPolicy(std::string_view word) {
    const auto it = std::find_if(policyTable().begin(),
                                 policyTable().end(),
                                 [&](const policyInfo &each) { return each.word == word; });
    return it == policyTable().end() ? nullptr : &*it;
}

void
keepCount(const machine &host, const gpu *target, unsigned count, usableNics &usable) {
    std::vector<std::size_t> order(usable.ports.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    if (target) {
        const std::vector<affinity> ways = waysTo(host, usable, *target);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return isNearer(ways[a], ways[b]);
        });
    }
    if (count > order.size()) {
        usable.warnings.push_back(std::to_string(count) + " NICs asked for, " +
                                  std::to_string(order.size()) + " usable");
        return;
    }
    const std::set<std::size_t> chosen(order.begin(), order.begin() + count);
    keepOnly(usable, [&](std::size_t i) {
        return chosen.count(i) > 0
                   ? std::string()
                   : "not among the " + std::to_string(count) +
                         (target ? " nearest to GPU " + target->pci : " first by name");
    });
}

} // namespace nixlStripe
