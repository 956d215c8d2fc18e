// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/cpu_type.h"

#include "topology/sysfs_text.h"

#include <string>

namespace nixlStripe {
namespace {

    constexpr std::uint64_t most = 0xffff; // of a family or model

    bool
    startsWith(std::string_view text, std::string_view prefix) {
        return text.substr(0, prefix.size()) == prefix;
    }

    /** The four hexadecimal digits behind @p key; nothing when there are none. */
    std::optional<unsigned>
    fieldOf(std::string_view text, std::string_view key) {
        constexpr std::size_t digits = 4;
        const std::size_t at = text.find(key);
        if (at == std::string_view::npos || text.size() < at + key.size() + digits) {
            return std::nullopt;
        }
        const auto value = parseNumber("0x" + std::string(text.substr(at + key.size(), digits)));
        return value ? std::optional<unsigned>(static_cast<unsigned>(*value)) : std::nullopt;
    }

    cpuKind_t
    kindOfNumber(unsigned vendor) {
        switch (vendor) {
        case 0:
            return cpuKind_t::INTEL;
        case 2:
            return cpuKind_t::AMD;
        case 10:
            return cpuKind_t::ZHAOXIN;
        default:
            return cpuKind_t::UNKNOWN;
        }
    }

    unsigned
    numberOf(std::string_view text) {
        const auto value = parseNumber(text);
        return value && *value <= most ? static_cast<unsigned>(*value) : 0;
    }

} // namespace

cpuType
cpuFromModalias(std::string_view text) {
    constexpr std::string_view x86 = "cpu:type:x86,";
    if (startsWith(text, "cpu:type:aarch64:")) {
        return {cpuKind_t::ARM, 0, 0};
    }
    if (!startsWith(text, x86)) {
        return {};
    }
    const std::string_view fields =
        text.substr(x86.size(), text.find(':', x86.size()) - x86.size());
    const auto vendor = fieldOf(fields, "ven");
    const auto family = fieldOf(fields, "fam");
    const auto model = fieldOf(fields, "mod");
    if (!vendor || !family || !model) {
        return {};
    }
    return {kindOfNumber(*vendor), *family, *model};
}

cpuType
cpuFromWords(std::string_view arch,
             std::string_view vendor,
             std::string_view family,
             std::string_view model) {
    cpuType found;
    found.family = numberOf(family);
    found.model = numberOf(model);
    if (vendor == "GenuineIntel") {
        found.kind = cpuKind_t::INTEL;
    } else if (vendor == "AuthenticAMD") {
        found.kind = cpuKind_t::AMD;
    } else if (vendor.find("Shanghai") != std::string_view::npos) {
        found.kind = cpuKind_t::ZHAOXIN;
    } else if (startsWith(arch, "arm64") || startsWith(arch, "aarch64")) {
        found.kind = cpuKind_t::ARM;
    } else if (startsWith(arch, "ppc64")) {
        found.kind = cpuKind_t::POWER;
    }
    return found;
}

const char *
cpuKindName(cpuKind_t kind) {
    switch (kind) {
    case cpuKind_t::INTEL:
        return "intel";
    case cpuKind_t::AMD:
        return "amd";
    case cpuKind_t::ZHAOXIN:
        return "zhaoxin";
    case cpuKind_t::ARM:
        return "arm";
    case cpuKind_t::POWER:
        return "power";
    case cpuKind_t::UNKNOWN:
        break;
    }
    return "unknown";
}

} // namespace nixlStripe
