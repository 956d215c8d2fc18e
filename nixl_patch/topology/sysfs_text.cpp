// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs_text.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace nixlStripe {
namespace {

    constexpr int max_numa_nodes = 1024;
    constexpr double max_rate = 100000;
    constexpr std::size_t gid_length = 39;

    bool
    isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    std::optional<int>
    nodeNumber(std::string_view text) {
        const auto value = parseNumber(text);
        if (!value || *value >= max_numa_nodes) {
            return std::nullopt;
        }
        return static_cast<int>(*value);
    }

    std::string_view
    nextPart(std::string_view &text, char separator) {
        const std::size_t end = std::min(text.find(separator), text.size());
        const std::string_view part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return part;
    }

} // namespace

std::optional<std::uint64_t>
parseNumber(std::string_view text) {
    int base = 10;
    if (text.substr(0, 2) == "0x") {
        base = 16;
        text.remove_prefix(2);
    }
    std::uint64_t value = 0;
    const char *end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc() || stop != end) {
        return std::nullopt;
    }
    return value;
}

int
parseNumaNode(std::string_view text) {
    return nodeNumber(text).value_or(unknown_numa);
}

std::vector<int>
parseNumaList(std::string_view text) {
    std::vector<int> nodes;
    while (!text.empty()) {
        std::string_view range = nextPart(text, ',');
        const auto first = nodeNumber(nextPart(range, '-'));
        const auto last = range.empty() ? first : nodeNumber(range);
        if (!first || !last) {
            return {};
        }
        for (int node = *first; node <= *last; ++node) {
            nodes.push_back(node);
        }
    }
    return nodes;
}

double
parseRate(std::string_view text) {
    // Not strtod: its decimal point depends on the locale of the process this runs in.
    double value = 0;
    std::size_t i = 0;
    for (; i < text.size() && isDigit(text[i]); ++i) {
        value = value * 10 + (text[i] - '0');
    }
    if (i > 0 && i < text.size() && text[i] == '.') {
        double place = 0.1;
        for (++i; i < text.size() && isDigit(text[i]); ++i, place /= 10) {
            value += place * (text[i] - '0');
        }
    }
    return value > max_rate ? 0 : value;
}

portState_t
parsePortState(std::string_view text) {
    const auto number = parseNumber(nextPart(text, ':'));
    switch (number.value_or(0)) {
    case 1:
        return portState_t::DOWN;
    case 2:
        return portState_t::INIT;
    case 3:
        return portState_t::ARMED;
    case 4:
        return portState_t::ACTIVE;
    case 5:
        return portState_t::ACTIVE_DEFER;
    default:
        return portState_t::UNKNOWN;
    }
}

linkLayer_t
parseLinkLayer(std::string_view text, std::string_view driver) {
    if (driver == "efa") {
        return linkLayer_t::EFA;
    }
    if (text == "InfiniBand") {
        return linkLayer_t::INFINIBAND;
    }
    return text == "Ethernet" ? linkLayer_t::ETHERNET : linkLayer_t::UNKNOWN;
}

namespace {

    /** Groups of four hexadecimal digits between colons, @p length in all, not all of them 0. */
    bool
    isNumberInGroups(std::string_view text, std::size_t length) {
        bool zero = true;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool separator = i % 5 == 4;
            const bool hex = isDigit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
            if (separator ? text[i] != ':' : !hex) {
                return false;
            }
            zero = zero && (separator || text[i] == '0');
        }
        return text.size() == length && !zero;
    }

} // namespace

bool
isGid(std::string_view text) {
    return isNumberInGroups(text, gid_length);
}

bool
isLinkLocal(std::string_view gid) {
    return gid.substr(0, 4) == "fe80" || gid.substr(0, 4) == "FE80";
}

std::string
knownGuid(std::string_view text) {
    constexpr std::size_t guid_length = 19;
    return isNumberInGroups(text, guid_length) ? std::string(text) : std::string();
}

std::string
parsePhysicalState(std::string_view text) {
    const std::size_t colon = text.find(": ");
    return colon == std::string_view::npos ? std::string() : printable(text.substr(colon + 2));
}

std::string
ueventValue(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        std::string_view value = nextPart(text, '\n');
        if (nextPart(value, '=') == key) {
            return std::string(value);
        }
    }
    return {};
}

std::string
printable(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (const char c : name) {
        if (c >= ' ' && c <= '~' && c != '\\') {
            result += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        result += "\\x";
        result += digits[byte / 16];
        result += digits[byte % 16];
    }
    return result;
}

} // namespace nixlStripe
