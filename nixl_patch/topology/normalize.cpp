// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/normalize.h"

#include "topology/flat.h"
#include "topology/natural_order.h"
#include "topology/pci_devices.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    template <typename Item>
    void
    sortByName(std::vector<Item> &items) {
        std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) {
            return naturalLess(a.name, b.name);
        });
    }

    /** PCI addresses are hexadecimal of fixed width but for domains above ffff. */
    bool
    addressLess(const std::string &a, const std::string &b) {
        const std::size_t domain_a = std::min(a.find(':'), a.size());
        const std::size_t domain_b = std::min(b.find(':'), b.size());
        return domain_a != domain_b ? domain_a < domain_b : a < b;
    }

    /**
     * Cuts off parents that are missing or lie on a cycle, and hands the NUMA node down to
     * functions without one. Each function is walked over once: a walk up ends at one that is done.
     */
    void
    settleTree(machine &host) {
        std::set<const pciNode *> done;
        for (auto &[address, node] : host.pci) {
            std::vector<pciNode *> way; // from this function upwards
            std::set<const pciNode *> on_way;
            for (pciNode *at = &node; at != nullptr && done.count(at) == 0;) {
                way.push_back(at);
                on_way.insert(at);
                const auto up = host.pci.find(at->parent);
                const bool is_whole = up != host.pci.end() && on_way.count(&up->second) == 0;
                if (!is_whole) {
                    at->parent.clear();
                }
                at = is_whole ? &up->second : nullptr;
            }
            for (auto it = way.rbegin(); it != way.rend(); ++it) {
                pciNode &each = **it;
                if (each.numaNode == unknown_numa && !each.parent.empty()) {
                    each.numaNode = host.pci.at(each.parent).numaNode;
                }
                done.insert(&each);
            }
        }
    }

    void
    inheritNuma(machine &host) {
        const auto take = [&host](auto &device) {
            const auto it = host.pci.find(device.pci);
            if (device.numaNode == unknown_numa && it != host.pci.end()) {
                device.numaNode = it->second.numaNode;
            }
        };
        std::for_each(host.nics.begin(), host.nics.end(), take);
        std::for_each(host.gpus.begin(), host.gpus.end(), take);
        std::for_each(host.netInterfaces.begin(), host.netInterfaces.end(), take);
    }

    void
    collectNumaNodes(machine &host) {
        std::set<int> nodes(host.numaNodes.begin(), host.numaNodes.end());
        const auto add = [&nodes](const auto &device) { nodes.insert(device.numaNode); };
        std::for_each(host.nics.begin(), host.nics.end(), add);
        std::for_each(host.gpus.begin(), host.gpus.end(), add);
        nodes.erase(unknown_numa);
        host.numaNodes.assign(nodes.begin(), nodes.end());
    }

    /** What hypervisors tell about the links of bridges that they make up means nothing. */
    void
    forgetEmulatedLinks(machine &host) {
        for (auto &[address, node] : host.pci) {
            if (isEmulatedBridge(node.vendor, node.device)) {
                node.linkGtps = 0;
                node.linkWidth = 0;
            }
        }
    }

} // namespace

void
normalize(machine &host) {
    sortByName(host.nics);
    sortByName(host.netInterfaces);
    std::sort(host.gpus.begin(), host.gpus.end(), [](const gpu &a, const gpu &b) {
        return addressLess(a.pci, b.pci);
    });
    for (rdmaNic &nic : host.nics) {
        std::sort(nic.ports.begin(), nic.ports.end(), [](const port &a, const port &b) {
            return a.number < b.number;
        });
        for (port &item : nic.ports) {
            item.hasGid = item.hasGid || !item.gids.empty();
        }
    }
    settleTree(host);
    forgetEmulatedLinks(host);
    inheritNuma(host);
    collectNumaNodes(host);
    host.isFlat = isFlatMachine(host);
}

} // namespace nixlStripe
