// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs.h"

#include "topology/cpu_type.h"
#include "topology/folder.h"
#include "topology/limits.h"
#include "topology/normalize.h"
#include "topology/sysfs_net.h"
#include "topology/sysfs_pci.h"
#include "topology/sysfs_rdma.h"
#include "topology/sysfs_text.h"

#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

namespace nixlStripe {
namespace {

    std::vector<int>
    readNumaNodes(const folder &root) {
        const folder nodes = root.sub("devices/system/node");
        std::vector<int> online = parseNumaList(nodes.text("online"));
        if (!online.empty()) {
            return online;
        }
        constexpr std::string_view prefix = "node";
        for (const std::string &name : nodes.list()) {
            const int node = name.rfind(prefix, 0) == 0
                                 ? parseNumaNode(std::string_view(name).substr(prefix.size()))
                                 : unknown_numa;
            // has() also tells a recorder that the entry's name was what counted.
            if (node != unknown_numa && nodes.has(name)) {
                online.push_back(node);
            }
        }
        return online;
    }

} // namespace

machine
readSysfs(const std::string &root, const std::string &dev) {
    const folder sysfs(root);
    if (!sysfs.isOpen()) {
        throw std::invalid_argument("sysfs root '" + root +
                                    "': " + std::generic_category().message(errno) +
                                    "; accepted: /sys or a folder that is a copy of it");
    }
    const lookBudget budget(root, max_sysfs_looks);
    machine host;
    host.source = root;
    host.isLive = sysfs.isSameAs("/sys");
    host.numaNodes = readNumaNodes(sysfs);
    host.cpu = cpuFromModalias(sysfs.text("devices/system/cpu/modalias"));
    pciReader pci(sysfs, host);
    pci.readGpus();
    netReader net(sysfs, pci, host);
    net.readAll();
    if (host.isLive) {
        readAddresses(host);
    }
    rdmaReader rdma(sysfs, dev.empty() && host.isLive ? "/dev" : dev, pci, net, host);
    rdma.readAll();
    checkSize(host);
    normalize(host);
    return host;
}

} // namespace nixlStripe
