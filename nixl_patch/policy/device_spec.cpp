// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/device_spec.h"

#include "topology/text.h"

#include <algorithm>
#include <charconv>

namespace nixlStripe {
namespace {

    constexpr std::string_view separators = ", \t\n\r\f\v";
    /** Linux allows more in interface names, UCX does not: '/', '[' and '^' mean something there.
     */
    constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz"
                                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                 "0123456789_-.@";

    /** Where a list came from, for errors. */
    struct origin {
        std::string_view key;
        std::string_view text;
        std::string_view accepted;

        [[noreturn]] void
        reject(const std::string &reason) const {
            refuse(key, text, reason, accepted);
        }
    };

    /** The character at @p pos with all its bytes: half of one would make a message undecodable. */
    std::string
    characterAt(std::string_view text, std::size_t pos) {
        constexpr unsigned char continuation_mask = 0xc0;
        constexpr unsigned char continuation = 0x80;
        std::size_t end = pos + 1;
        while (end < text.size() &&
               (static_cast<unsigned char>(text[end]) & continuation_mask) == continuation) {
            ++end;
        }
        return std::string(text.substr(pos, end - pos));
    }

    deviceSpec
    parseEntry(const origin &from, std::string_view entry) {
        const std::size_t colon = entry.find(':');
        deviceSpec spec;
        spec.name = entry.substr(0, colon);
        if (spec.name.empty()) {
            from.reject("entry " + quoted(entry) + " has no device name");
        }
        if (const auto bad = spec.name.find_first_not_of(name_characters);
            bad != std::string::npos) {
            from.reject("unexpected character " + quoted(characterAt(spec.name, bad)));
        }
        if (colon == std::string_view::npos) {
            return spec;
        }
        const std::string_view digits = entry.substr(colon + 1);
        unsigned port = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (error != std::errc() || end != digits.data() + digits.size() || port < 1 ||
            port > 255) {
            from.reject("the port of entry " + quoted(entry) + " is not a number from 1 to 255");
        }
        spec.port = port;
        return spec;
    }

} // namespace

std::string
deviceSpec::text() const {
    return port ? name + ":" + std::to_string(*port) : name;
}

std::vector<deviceSpec>
parseDeviceEntries(std::string_view key,
                   std::string_view text,
                   std::string_view entries,
                   std::string_view accepted) {
    const origin from{key, text, accepted};
    std::vector<deviceSpec> specs;
    std::size_t pos = 0;
    while ((pos = entries.find_first_not_of(separators, pos)) != std::string_view::npos) {
        const std::size_t end = std::min(entries.find_first_of(separators, pos), entries.size());
        deviceSpec spec = parseEntry(from, entries.substr(pos, end - pos));
        if (std::find(specs.begin(), specs.end(), spec) != specs.end()) {
            from.reject(quoted(spec.text()) + " is there twice");
        }
        specs.push_back(std::move(spec));
        pos = end;
    }
    return specs;
}

std::vector<deviceSpec>
parseDeviceList(std::string_view key, std::string_view text) {
    std::vector<deviceSpec> specs = parseDeviceEntries(key, text, text, device_list_accepted);
    if (specs.empty() && !text.empty()) {
        refuse(key, text, "the list names no device", device_list_accepted);
    }
    return specs;
}

} // namespace nixlStripe
