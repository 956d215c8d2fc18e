// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/pci_path.h"

#include <algorithm>
#include <cstddef>

namespace nixlStripe {
namespace {

    constexpr std::string_view host_bridge = "pci";

    bool
    isHex(std::string_view text) {
        return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    }

} // namespace

bool
isPciAddress(std::string_view text) {
    const std::size_t domain = text.find(':');
    if (domain == std::string_view::npos || domain < 4 || domain > 8) {
        return false;
    }
    const std::string_view rest = text.substr(domain + 1); // "1b:00.0"
    return rest.size() == 7 && rest[2] == ':' && rest[5] == '.' && isHex(text.substr(0, domain)) &&
           isHex(rest.substr(0, 2)) && (rest[3] == '0' || rest[3] == '1') &&
           isHex(rest.substr(4, 1)) && rest[6] >= '0' && rest[6] <= '7';
}

pciPath
parsePciPath(std::string_view path) {
    pciPath result;
    std::string_view before;
    bool in_run = false;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::string_view part = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        const bool is_function = isPciAddress(part);
        if (is_function && !in_run) {
            const bool known = before.substr(0, host_bridge.size()) == host_bridge;
            result.root = known ? before : std::string_view();
            result.functions.clear();
        }
        if (is_function) {
            result.functions.emplace_back(part);
        }
        in_run = is_function;
        before = part;
    }
    return result;
}

} // namespace nixlStripe
