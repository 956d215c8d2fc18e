// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/used_paths.h"

#include <algorithm>
#include <string>
#include <utility>

namespace nixlStripe {

void
keepUsedPaths(machine &host) {
    std::map<std::string, pciNode> kept;
    const auto keep = [&](const auto &device) {
        for (auto it = host.pci.find(device.pci);
             it != host.pci.end() && kept.emplace(it->first, it->second).second;) {
            it = host.pci.find(it->second.parent);
        }
    };
    std::for_each(host.nics.begin(), host.nics.end(), keep);
    std::for_each(host.gpus.begin(), host.gpus.end(), keep);
    std::for_each(host.netInterfaces.begin(), host.netInterfaces.end(), keep);
    host.pci = std::move(kept);
}

} // namespace nixlStripe
