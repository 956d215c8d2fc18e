// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/interfaces.h"

#include "topology/pci_address.h"

#include <algorithm>

namespace nixlStripe {

interfacesHere::interfacesHere(const std::vector<netInterface> &all) {
    for (const netInterface &each : all) {
        names_.emplace(each.name, &each);
        if (!each.master.empty()) {
            members_[each.master].push_back(&each);
        }
    }
}

bool
interfacesHere::isOf(const rdmaNic &nic, const port &at, const std::string &name) const {
    const auto it = names_.find(name);
    if (it == names_.end()) {
        return names_.empty();
    }
    const netInterface &found = *it->second;
    if (nic.pci.empty() || nic.driver == "rdma_rxe") {
        return true;
    }
    if (!found.pci.empty()) {
        return isOnFunction(found, nic);
    }
    const auto members = members_.find(found.name);
    if (members != members_.end()) {
        const auto &all = members->second;
        return std::any_of(all.begin(), all.end(), [&](const netInterface *each) {
            return each->pci.empty() || isOnFunction(*each, nic);
        });
    }
    const bool can_be_own = !found.isVirtual || found.kind == netKind_t::BOND;
    return can_be_own || name != at.ownNetdev;
}

/** A bond of a card's functions has one RDMA device, of the first of them. */
bool
interfacesHere::isOnFunction(const netInterface &each, const rdmaNic &nic) const {
    const bool are_physical = !nic.isVirtualFunction && each.physicalFunction.empty();
    return each.pci == nic.pci || (are_physical && cardOf(each.pci) == cardOf(nic.pci));
}

} // namespace nixlStripe
