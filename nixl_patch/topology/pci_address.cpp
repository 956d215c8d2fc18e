// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/pci_address.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace nixlStripe {
namespace {

    constexpr unsigned max_bus = 0xff;
    constexpr unsigned max_device = 0x1f;
    constexpr unsigned max_function = 7;

    std::optional<unsigned>
    hexNumber(std::string_view text, std::size_t max_digits, unsigned max_value) {
        unsigned value = 0;
        const char *end = text.data() + text.size();
        const auto result = std::from_chars(text.data(), end, value, 16);
        if (text.empty() || text.size() > max_digits || result.ec != std::errc() ||
            result.ptr != end || value > max_value) {
            return std::nullopt;
        }
        return value;
    }

} // namespace

std::string
pciAddress::text() const {
    char address[sizeof("ffffffff:ff:1f.7")];
    std::snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", domain, bus, device, function);
    return address;
}

std::optional<pciAddress>
parsePciAddress(std::string_view text) {
    const std::size_t last = text.rfind(':');
    if (last == std::string_view::npos || last == 0) {
        return std::nullopt;
    }
    const std::size_t first = text.rfind(':', last - 1);
    const std::size_t bus_start = first == std::string_view::npos ? 0 : first + 1;
    const std::size_t dot = text.find('.', last);
    const std::size_t device_end = std::min(dot, text.size());

    const auto domain = first == std::string_view::npos
                            ? std::optional<unsigned>(0)
                            : hexNumber(text.substr(0, first), 8, 0xffffffff);
    const auto bus = hexNumber(text.substr(bus_start, last - bus_start), 2, max_bus);
    const auto device = hexNumber(text.substr(last + 1, device_end - last - 1), 2, max_device);
    const auto function = dot == std::string_view::npos
                              ? std::optional<unsigned>(0)
                              : hexNumber(text.substr(dot + 1), 1, max_function);
    if (!domain || !bus || !device || !function) {
        return std::nullopt;
    }
    return pciAddress{*domain, *bus, *device, *function};
}

std::optional<std::string>
normalPciAddress(std::string_view text) {
    const auto address = parsePciAddress(text);
    return address ? std::optional<std::string>(address->text()) : std::nullopt;
}

std::string
cardOf(std::string_view function) {
    return std::string(function.substr(0, function.rfind('.')));
}

} // namespace nixlStripe
