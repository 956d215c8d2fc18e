// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/limits.h"

#include <stdexcept>

namespace nixlStripe {

void
checkCount(const std::string &source, const char *what, std::size_t count, std::size_t limit) {
    if (count > limit) {
        throw std::invalid_argument(source + ": more than " + std::to_string(limit) + " " + what +
                                    "; no machine has that many, so it is not read");
    }
}

void
checkSize(const machine &host) {
    std::size_t ports = 0;
    std::size_t gids = 0;
    for (const rdmaNic &nic : host.nics) {
        ports += nic.ports.size();
        for (const port &item : nic.ports) {
            gids += item.gids.size();
        }
    }
    checkCount(host.source, "GPUs", host.gpus.size(), max_gpus);
    checkCount(host.source, "RDMA NICs", host.nics.size(), max_nics);
    checkCount(host.source, "network interfaces", host.netInterfaces.size(), max_net_interfaces);
    checkCount(host.source, "ports of RDMA NICs", ports, max_ports);
    checkCount(host.source, "GIDs", gids, max_gids);
    checkCount(host.source, "PCI functions", host.pci.size(), max_pci_functions);
    checkCount(host.source, "NUMA nodes", host.numaNodes.size(), max_numa_node_count);
}

} // namespace nixlStripe
