// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_SOCKET_ADDRESS_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_SOCKET_ADDRESS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace nixlStripe {

/** An address and a port as the kernel's calls take them. */
class socketAddress {
public:
    /** @param text As in /proc/net/tcp, "0100007F:1F90". @return none where it is no such text. */
    static std::optional<socketAddress> of(std::string_view text);

    /** Of which interface an address is that only makes sense on one. */
    void setScope(const std::string &interface);

    void setPort(std::uint16_t port);

    const sockaddr *get() const;
    socklen_t size() const;

    int
    family() const {
        return get()->sa_family;
    }

    /** The address alone, in the network's order: 4 or 16 bytes. */
    std::string bytes() const;

private:
    sockaddr_storage storage_{};
};

/** Both ends of a connection; the port of the own one is any. */
struct socketEnds {
    socketAddress local;
    socketAddress remote;
};

/** @param ends As in tcpSockets_t. @param interface Of the own end. */
std::optional<socketEnds> endsOf(std::string_view ends, const std::string &interface);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_SOCKET_ADDRESS_H
