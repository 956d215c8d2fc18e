// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/flat.h"

#include "topology/distance.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

namespace nixlStripe {
namespace {

    bool
    anyNumaNode(const machine &host) {
        const auto known = [](const auto &device) { return device.numaNode != unknown_numa; };
        return std::any_of(host.gpus.begin(), host.gpus.end(), known) ||
               std::any_of(host.nics.begin(), host.nics.end(), known);
    }

    /**
     * What lies below the place where all pairs part: where a GPU and a NIC are on the same branch,
     * that pair parts further down.
     */
    using branch_t = std::pair<std::string_view, const pciNode *>;

    branch_t
    branchOf(const pciPlace &device, unsigned common_depth) {
        if (device.path.empty()) {
            return {};
        }
        const pciNode *const top = device.path.front();
        if (common_depth == 0) {
            return {top->root, top->root.empty() ? top : nullptr};
        }
        const std::size_t shared = common_depth - 1;
        return {{}, shared < device.path.size() ? device.path[shared] : nullptr};
    }

    /** Devices of one kind, seen from where all pairs part. */
    struct side {
        std::set<branch_t> branches;
        bool anyClose = false; /**< at most one bridge below that place: PIX if the NIC is too */
    };

    template <typename Device>
    side
    sideOf(const machine &host, const std::vector<Device> &devices, unsigned common_depth) {
        side result;
        for (const Device &device : devices) {
            const pciPlace place = placeOf(host, device.pci, device.numaNode);
            const branch_t branch = branchOf(place, common_depth);
            if (branch != branch_t()) {
                result.branches.insert(branch);
            }
            const std::size_t shared = common_depth > 0 ? common_depth - 1 : 0;
            result.anyClose = result.anyClose || bridgesBelow(place, shared) <= 1;
        }
        return result;
    }

    bool
    isSame(const affinity &a, const affinity &b) {
        return !isNearer(a, b) && !isNearer(b, a);
    }

} // namespace

bool
isFlatMachine(const machine &host) {
    if (host.gpus.empty() || host.nics.empty() || anyNumaNode(host)) {
        return false;
    }
    // One GPU against all NICs and one NIC against all GPUs: the other pairs part there or below.
    const affinity first = affinityBetween(host, host.gpus.front(), host.nics.front());
    const bool same_nics = std::all_of(host.nics.begin(), host.nics.end(), [&](const rdmaNic &nic) {
        return isSame(first, affinityBetween(host, host.gpus.front(), nic));
    });
    const bool same_gpus = std::all_of(host.gpus.begin(), host.gpus.end(), [&](const gpu &each) {
        return isSame(first, affinityBetween(host, each, host.nics.front()));
    });
    if (!same_nics || !same_gpus) {
        return false;
    }
    const side gpus = sideOf(host, host.gpus, first.commonDepth);
    const side nics = sideOf(host, host.nics, first.commonDepth);
    const bool some_part_below =
        std::any_of(gpus.branches.begin(), gpus.branches.end(), [&](const branch_t &branch) {
            return nics.branches.count(branch) > 0;
        });
    const bool some_are_close = first.distance == distance_t::PXB && gpus.anyClose && nics.anyClose;
    return !some_part_below && !some_are_close;
}

} // namespace nixlStripe
