// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/fabrics.h"

#include "topology/names.h"

#include <cstdio>
#include <map>
#include <set>
#include <utility>

namespace nixlStripe {
namespace {

    /** The port of @p nic that its fabric is told by, the first that is active; null = unknown. */
    const port *
    decidingPort(const candidate &nic) {
        for (const port *at : nic.asked) {
            if (!nic.active.empty() && at->number == nic.active.front().port) {
                return at;
            }
        }
        return nullptr;
    }

    /** "InfiniBand", "Omni-Path", "Ethernet", "EFA"; "" = unknown, or of no consequence (TCP). */
    std::string
    networkOf(const candidate &nic) {
        if (isInterface(nic) || nic.active.empty()) {
            return "";
        }
        if (nic.nic->driver == "hfi1" || nic.nic->driver == "opa_vnic") {
            return "Omni-Path";
        }
        const port *at = decidingPort(nic);
        const bool is_known = at != nullptr && at->linkLayer != linkLayer_t::UNKNOWN;
        return is_known ? std::string(linkLayerName(at->linkLayer)) : "";
    }

    /** PCI vendor; 0 = unknown, or a software device. */
    unsigned
    vendorOf(const machine &host, const candidate &nic) {
        const auto it = host.pci.find(nic.nic->pci);
        return it == host.pci.end() || nic.nic->driver == "rdma_rxe" ? 0 : it->second.vendor;
    }

    /** "fe80:0000:0000:0000" for a port on InfiniBand; "" = unknown, or the NIC has no subnet. */
    std::string
    subnetOf(const candidate &nic) {
        constexpr std::size_t prefix_length = 19;
        const port *at = decidingPort(nic);
        const bool is_known =
            at != nullptr && !at->gids.empty() && at->gids.front().size() == 2 * prefix_length + 1;
        return is_known ? at->gids.front().substr(0, prefix_length) : "";
    }

    /** The subnet of each NIC on InfiniBand. */
    std::vector<std::string>
    subnetsOf(const candidates &nics) {
        std::vector<std::string> subnets;
        for (const candidate &nic : nics) {
            const bool has_one = networkOf(nic) == linkLayerName(linkLayer_t::INFINIBAND);
            subnets.push_back(has_one ? subnetOf(nic) : "");
        }
        return subnets;
    }

    /** Adds its subnet to the fabric of each NIC that is not in the subnet of most of them. */
    void
    tellSubnets(const candidates &nics, std::vector<std::string> &fabrics) {
        const std::vector<std::string> subnets = subnetsOf(nics);
        std::map<std::string, std::size_t> sizes;
        std::map<std::pair<std::string, std::string>, std::size_t> parts;
        for (std::size_t i = 0; i < nics.size(); ++i) {
            ++sizes[fabrics[i]];
            ++parts[{fabrics[i], subnets[i]}];
        }
        std::map<std::string, std::string> most; // by fabric
        for (const auto &[of, count] : parts) {
            if (!of.second.empty() && count > 1 && 2 * count > sizes[of.first]) {
                most[of.first] = of.second;
            }
        }
        for (std::size_t i = 0; i < nics.size(); ++i) {
            const auto found = most.find(fabrics[i]);
            if (found != most.end() && !subnets[i].empty() && subnets[i] != found->second) {
                fabrics[i] += " (subnet " + subnets[i] + ")";
            }
        }
    }

} // namespace

bool
isInterface(const candidate &nic) {
    return !nic.active.empty() && nic.active.front().port == no_port;
}

std::vector<std::string>
fabricsOf(const machine &host, const candidates &nics) {
    std::map<std::string, std::set<unsigned>> vendors;
    for (const candidate &nic : nics) {
        vendors[networkOf(nic)].insert(vendorOf(host, nic));
    }
    std::vector<std::string> fabrics;
    for (const candidate &nic : nics) {
        std::string fabric = networkOf(nic);
        const std::set<unsigned> &seen = vendors[fabric];
        if (!fabric.empty() && seen.size() > 1 && seen.count(0) == 0) {
            char vendor[32];
            std::snprintf(vendor, sizeof(vendor), "PCI vendor %04x", vendorOf(host, nic));
            fabric += " (" + (nic.nic->driver.empty() ? vendor : nic.nic->driver) + ")";
        }
        fabrics.push_back(std::move(fabric));
    }
    tellSubnets(nics, fabrics);
    return fabrics;
}

} // namespace nixlStripe
