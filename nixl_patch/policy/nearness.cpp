// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/nearness.h"

#include <algorithm>

namespace nixlStripe {

nearness::nearness(const machine &host)
    : host_(host) {
    if (host.isFlat) {
        return;
    }
    for (const gpu &each : host.gpus) {
        roots_.insert(rootOf(each.pci));
    }
    roots_.erase("");
}

bool
nearness::isNear(const rdmaNic &nic) const {
    return roots_.count(rootOf(nic.pci)) != 0;
}

bool
nearness::areAllServed(const std::vector<const rdmaNic *> &nics) const {
    std::set<std::string> served;
    for (const rdmaNic *nic : nics) {
        served.insert(rootOf(nic->pci));
    }
    served.erase("");
    return !roots_.empty() &&
           std::includes(served.begin(), served.end(), roots_.begin(), roots_.end());
}

std::string
nearness::rootOf(const std::string &pci) const {
    const auto it = host_.pci.find(pci);
    return it == host_.pci.end() ? "" : it->second.root;
}

} // namespace nixlStripe
