// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/cables.h"

#include "policy/physical_ports.h"
#include "topology/pcie_link.h"

#include <algorithm>
#include <array>

namespace nixlStripe {
namespace {

    /** ConnectX-4 to ConnectX-8 as virtual functions, where the physical one is another host's. */
    constexpr unsigned mellanox_vendor = 0x15b3;
    constexpr std::array<unsigned, 6> virtual_functions = {
        0x1014, 0x1016, 0x1018, 0x101a, 0x101c, 0x101e};

    bool
    isVirtualHere(const machine &host, const rdmaNic &nic) {
        const auto it = host.pci.find(nic.pci);
        return it != host.pci.end() && it->second.vendor == mellanox_vendor &&
               std::count(virtual_functions.begin(), virtual_functions.end(), it->second.device) >
                   0;
    }

    constexpr unsigned emulated_vendor = 0x1b36; // QEMU's root ports

    /**
     * Whether a card is where a virtual machine has put it, with a function number that says
     * nothing: hardware is below a root port.
     */
    bool
    isRenumbered(const machine &host, const rdmaNic &nic) {
        const auto it = host.pci.find(nic.pci);
        if (it == host.pci.end()) {
            return false;
        }
        const auto above = host.pci.find(it->second.parent);
        return above == host.pci.end() ? !it->second.root.empty()
                                       : above->second.vendor == emulated_vendor;
    }

    /** Whether its card's number is unknown and its PCIe link carries less than its port. */
    bool
    isHalf(const machine &host, const rdmaNic &nic, double rate_gbps) {
        const double link = linkGbps(host, nic.pci);
        return nic.sysImageGuid.empty() && nic.physicalFunction.empty() && link > 0 &&
               link < rate_gbps;
    }

    /** "01:00.0" of "0002:01:00.0". */
    std::string
    placeInDomain(const std::string &pci) {
        return pci.substr(pci.find(':') + 1);
    }

    /**
     * A card of two PCIe links (DGX Spark) whose number is not visible: the one other device at the
     * same place of another domain, of the same kind, with a link as narrow for its port.
     */
    const rdmaNic *
    otherHalf(const machine &host, const nicPort &at) {
        const rdmaNic &nic = *at.nic;
        if (!isHalf(host, nic, at.rateGbps)) {
            return nullptr;
        }
        const pciNode &here = host.pci.at(nic.pci);
        const rdmaNic *found = nullptr;
        for (const rdmaNic &other : host.nics) {
            const auto there = host.pci.find(other.pci);
            if (&other == &nic || there == host.pci.end() ||
                placeInDomain(other.pci) != placeInDomain(nic.pci) ||
                there->second.vendor != here.vendor || there->second.device != here.device) {
                continue;
            }
            const bool matches =
                std::any_of(other.ports.begin(), other.ports.end(), [&](const port &each) {
                    return each.number == at.port && each.rateGbps == at.rateGbps &&
                           isHalf(host, other, each.rateGbps);
                });
            if (!matches || found != nullptr) {
                return nullptr;
            }
            found = &other;
        }
        return found;
    }

} // namespace

std::string
cableOf(const machine &host, const nicPort &at) {
    const rdmaNic &nic = *at.nic;
    if (at.port == no_port) {
        return nic.name;
    }
    const rdmaNic *physical = &nic;
    for (const rdmaNic &other : host.nics) {
        if (!nic.physicalFunction.empty() && other.pci == nic.physicalFunction) {
            physical = &other;
        }
    }
    const std::string &function = functionOf(nic);
    const std::string number = ":" + std::to_string(at.port);
    const bool is_alone =
        physical == &nic && (!nic.physicalFunction.empty() || isVirtualHere(host, nic));
    if (const rdmaNic *other = otherHalf(host, at)) {
        return std::min(nic.pci, other->pci) + number;
    }
    if (physical->sysImageGuid.empty() || function.empty() || is_alone ||
        isRenumbered(host, *physical)) {
        return (function.empty() ? nic.name : function) + number;
    }
    return physical->sysImageGuid + function.substr(function.rfind('.')) + number;
}

} // namespace nixlStripe
