// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/nccl_list.h"

#include "topology/text.h"

#include <algorithm>

namespace nixlStripe {

std::string
ncclList::text() const {
    std::string names;
    for (const deviceSpec &entry : entries) {
        append(names, entry.text(), ",");
    }
    return (exclude ? "^" : "") + std::string(exact ? "=" : "") + names;
}

bool
ncclList::matchesName(const deviceSpec &entry, std::string_view name) const {
    return exact ? name == entry.name : name.substr(0, entry.name.size()) == entry.name;
}

bool
ncclList::matches(std::string_view name, unsigned port) const {
    return std::any_of(entries.begin(), entries.end(), [&](const deviceSpec &entry) {
        return matchesName(entry, name) && (!entry.port || *entry.port == port);
    });
}

bool
ncclList::spellsOut(std::string_view name) const {
    return std::any_of(entries.begin(), entries.end(), [&](const deviceSpec &entry) {
        return entry.name == name;
    });
}

ncclList
parseNcclList(std::string_view key, std::string_view text, std::string_view accepted) {
    ncclList list;
    std::string_view rest = text;
    if (!rest.empty() && rest.front() == '^') {
        list.exclude = true;
        rest.remove_prefix(1);
    }
    if (!rest.empty() && rest.front() == '=') {
        list.exact = true;
        rest.remove_prefix(1);
    }
    list.entries = parseDeviceEntries(key, text, rest, accepted);
    if (list.entries.empty()) {
        refuse(key, text, "the list names no device", accepted);
    }
    return list;
}

} // namespace nixlStripe
