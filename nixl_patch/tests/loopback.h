// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_LOOPBACK_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_LOOPBACK_H

#include "topology/descriptor.h"

#include <array>
#include <cstdio>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

namespace nixlStripe::testing {

/** A connection of this process with itself. */
class loopback {
public:
    /** @param waiting How many more may wait to be accepted; nobody accepts. */
    explicit loopback(int waiting = 1)
        : listens_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
        , connects_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto *any = reinterpret_cast<sockaddr *>(&address);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listens_.get(), any, size), 0);
        EXPECT_EQ(::listen(listens_.get(), waiting), 0);
        EXPECT_EQ(::getsockname(listens_.get(), any, &size), 0);
        port_ = ntohs(address.sin_port);
        EXPECT_EQ(::connect(connects_.get(), any, size), 0);
    }

    int
    connected() const {
        return connects_.get();
    }

    /** As the kernel prints it, from any port to the one that listens. */
    std::string
    ends() const {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "0100007F:0001-0100007F:%04X", port_);
        return text.data();
    }

private:
    const descriptor listens_;
    const descriptor connects_;
    unsigned port_ = 0;
};

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_LOOPBACK_H
