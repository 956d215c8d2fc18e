// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/forecast.h"

namespace nixlStripe {
namespace {

    constexpr unsigned virtio_vendor = 0x1af4;

} // namespace

std::vector<lanePort>
lanePorts(const machine &host, const std::optional<std::string> &gpu_pci) {
    std::vector<lanePort> found;
    for (const rdmaNic &nic : host.nics) {
        for (const port &at : nic.ports) {
            if (at.state != portState_t::ACTIVE && at.state != portState_t::UNKNOWN) {
                continue;
            }
            lanePort each;
            each.device = nic.name + ":" + std::to_string(at.number);
            each.bandwidth = portBandwidth(host, nic, at);
            each.path = gpu_pci ? pathBetween(host, *gpu_pci, nic.pci) : ucxPath();
            each.pci = nic.pci;
            found.push_back(std::move(each));
        }
    }
    for (const netInterface &way : host.netInterfaces) {
        if (!way.up || way.kind == netKind_t::LOOPBACK || way.address == address_t::NO) {
            continue;
        }
        lanePort each;
        each.device = way.name;
        each.isRdma = false;
        each.bandwidth = interfaceBandwidth(way);
        // virtio's PCI function is one folder too deep for UCX, which then knows no place for it
        const auto function = host.pci.find(way.pci);
        const bool is_plain =
            function != host.pci.end() && function->second.vendor != virtio_vendor;
        each.path = gpu_pci && is_plain ? pathBetween(host, *gpu_pci, way.pci) : ucxPath();
        each.pci = is_plain ? way.pci : "";
        found.push_back(std::move(each));
    }
    return found;
}

} // namespace nixlStripe
