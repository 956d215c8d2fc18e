// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/fabrics.h"

#include "policy/physical_ports.h"
#include "topology/names.h"

#include <algorithm>
#include <cstdio>

namespace nixlStripe {
namespace {

    const port *
    portOf(const candidate &nic, unsigned number) {
        const auto it = std::find_if(nic.asked.begin(), nic.asked.end(), [&](const port *at) {
            return at->number == number;
        });
        return it == nic.asked.end() ? nullptr : *it;
    }

    std::string
    networkOf(const rdmaNic &nic, const port *at) {
        if (at == nullptr || at->number == no_port) {
            return "";
        }
        if (nic.driver == "hfi1" || nic.driver == "opa_vnic") {
            return "Omni-Path";
        }
        return at->linkLayer == linkLayer_t::UNKNOWN ? "" : linkLayerName(at->linkLayer);
    }

    std::string
    vendorOf(const machine &host, const rdmaNic &nic) {
        if (isSoftware(nic)) {
            return std::string(software_vendor);
        }
        const auto it = host.pci.find(nic.pci);
        if (it == host.pci.end() || it->second.vendor == 0) {
            return "";
        }
        char text[32];
        std::snprintf(text, sizeof(text), "PCI vendor %04x", it->second.vendor);
        return text;
    }

    /** "fe80:0000:0000:0000" of an InfiniBand port; "" = unknown, or it has none. */
    std::string
    subnetOf(const std::string &network, const port *at) {
        constexpr std::size_t prefix_length = 19;
        const bool is_known = network == linkLayerName(linkLayer_t::INFINIBAND) && at != nullptr &&
                              !at->gids.empty() && at->gids.front().size() == 2 * prefix_length + 1;
        return is_known ? at->gids.front().substr(0, prefix_length) : "";
    }

} // namespace

bool
isInterface(const candidate &nic) {
    return !nic.active.empty() && nic.active.front().port == no_port;
}

fabric
fabricOf(const machine &host, const candidate &nic, unsigned number) {
    const port *at = portOf(nic, number);
    fabric wires;
    wires.network = networkOf(*nic.nic, at);
    wires.vendor = wires.network.empty() ? "" : vendorOf(host, *nic.nic);
    wires.subnets = subnetOf(wires.network, at);
    return wires;
}

} // namespace nixlStripe
