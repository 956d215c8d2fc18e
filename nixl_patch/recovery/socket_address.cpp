// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/socket_address.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

namespace nixlStripe {
namespace {

    template <typename number_t>
    bool
    readHex(std::string_view text, number_t &number) {
        const auto done = std::from_chars(text.data(), text.data() + text.size(), number, 16);
        return done.ec == std::errc() && done.ptr == text.data() + text.size();
    }

} // namespace

std::optional<socketAddress>
socketAddress::of(std::string_view text) {
    const std::size_t colon = text.find(':');
    std::uint16_t port = 0;
    if (colon == std::string_view::npos || !readHex(text.substr(colon + 1), port)) {
        return std::nullopt;
    }
    constexpr std::size_t digits = 8; // of a word
    std::array<std::uint32_t, 4> words{};
    if (colon != digits && colon != words.size() * digits) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < colon / digits; ++i) {
        if (!readHex(text.substr(i * digits, digits), words[i])) {
            return std::nullopt;
        }
    }
    socketAddress made;
    if (colon == digits) {
        auto *address = reinterpret_cast<sockaddr_in *>(&made.storage_);
        address->sin_family = AF_INET;
        std::memcpy(&address->sin_addr, words.data(), sizeof address->sin_addr);
    } else {
        auto *address = reinterpret_cast<sockaddr_in6 *>(&made.storage_);
        address->sin6_family = AF_INET6;
        std::memcpy(&address->sin6_addr, words.data(), sizeof address->sin6_addr);
    }
    made.setPort(port);
    return made;
}

void
socketAddress::setPort(std::uint16_t port) {
    if (family() == AF_INET) {
        reinterpret_cast<sockaddr_in *>(&storage_)->sin_port = htons(port);
    } else {
        reinterpret_cast<sockaddr_in6 *>(&storage_)->sin6_port = htons(port);
    }
}

void
socketAddress::setScope(const std::string &interface) {
    if (family() == AF_INET6) {
        auto *address = reinterpret_cast<sockaddr_in6 *>(&storage_);
        if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) {
            address->sin6_scope_id = ::if_nametoindex(interface.c_str());
        }
    }
}

const sockaddr *
socketAddress::get() const {
    return reinterpret_cast<const sockaddr *>(&storage_);
}

socklen_t
socketAddress::size() const {
    return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

std::string
socketAddress::bytes() const {
    if (family() == AF_INET) {
        const auto &address = reinterpret_cast<const sockaddr_in *>(&storage_)->sin_addr;
        return {reinterpret_cast<const char *>(&address), sizeof address};
    }
    const auto &address = reinterpret_cast<const sockaddr_in6 *>(&storage_)->sin6_addr;
    return {reinterpret_cast<const char *>(&address), sizeof address};
}

std::optional<socketEnds>
endsOf(std::string_view ends, const std::string &interface) {
    const std::size_t dash = ends.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    auto local = socketAddress::of(ends.substr(0, dash));
    auto remote = socketAddress::of(ends.substr(dash + 1));
    if (!local || !remote || local->family() != remote->family()) {
        return std::nullopt;
    }
    local->setPort(0);
    local->setScope(interface);
    remote->setScope(interface);
    return socketEnds{*local, *remote};
}

} // namespace nixlStripe
