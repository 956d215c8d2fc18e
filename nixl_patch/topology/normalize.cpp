// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/normalize.h"

#include "topology/distance.h"
#include "topology/natural_order.h"
#include "topology/pci_devices.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>

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

    void
    cutBrokenParents(machine &host) {
        for (auto &[address, node] : host.pci) {
            std::set<std::string> seen{address};
            for (pciNode *at = &node; !at->parent.empty();) {
                const auto up = host.pci.find(at->parent);
                if (up == host.pci.end() || !seen.insert(up->first).second) {
                    at->parent.clear();
                    break;
                }
                at = &up->second;
            }
        }
    }

    void
    inheritNuma(machine &host) {
        for (auto &[address, node] : host.pci) {
            const pciNode *at = &node;
            while (at->numaNode == unknown_numa && !at->parent.empty()) {
                at = &host.pci.at(at->parent);
            }
            node.numaNode = at->numaNode;
        }
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

    bool
    anyNumaNode(const machine &host) {
        const auto known = [](const auto &device) { return device.numaNode != unknown_numa; };
        return std::any_of(host.gpus.begin(), host.gpus.end(), known) ||
               std::any_of(host.nics.begin(), host.nics.end(), known);
    }

    bool
    isFlat(const machine &host) {
        if (host.gpus.empty() || host.nics.empty() || anyNumaNode(host)) {
            return false;
        }
        const affinity first = affinityBetween(host, host.gpus.front(), host.nics.front());
        for (const gpu &accelerator : host.gpus) {
            for (const rdmaNic &nic : host.nics) {
                const affinity other = affinityBetween(host, accelerator, nic);
                if (isNearer(first, other) || isNearer(other, first)) {
                    return false;
                }
            }
        }
        return true;
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
    cutBrokenParents(host);
    forgetEmulatedLinks(host);
    inheritNuma(host);
    collectNumaNodes(host);
    host.isFlat = isFlat(host);
}

} // namespace nixlStripe
