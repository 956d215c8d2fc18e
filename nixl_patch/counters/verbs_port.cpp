// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/verbs_port.h"

#include "topology/descriptor.h"

#include <cstdint>
#include <fcntl.h>
#include <rdma/ib_user_verbs.h>

namespace nixlStripe {
namespace {

    /** A command as the kernel reads it: its header, then what it asks for. */
    template <typename Request> struct command {
        ib_uverbs_cmd_hdr header;
        Request request;
    };

    template <typename Request, typename Response>
    bool
    ask(int fd, std::uint32_t number, Request request, Response &response) {
        constexpr std::size_t word = 4;
        command<Request> message{};
        message.header.command = number;
        message.header.in_words = sizeof message / word;
        message.header.out_words = sizeof response / word;
        message.request = request;
        message.request.response = reinterpret_cast<std::uintptr_t>(&response);
        return ::write(fd, &message, sizeof message) == static_cast<ssize_t>(sizeof message);
    }

} // namespace

unsigned
activeMtu(const std::string &node, unsigned port) {
    const descriptor device(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    const int fd = device.get();
    if (fd < 0) {
        return 0;
    }
    ib_uverbs_get_context_resp context{};
    ib_uverbs_query_port_resp attributes{};
    ib_uverbs_query_port query{};
    query.port_num = static_cast<std::uint8_t>(port);
    const bool opened = ask(fd, IB_USER_VERBS_CMD_GET_CONTEXT, ib_uverbs_get_context{}, context);
    const bool known = opened && ask(fd, IB_USER_VERBS_CMD_QUERY_PORT, query, attributes);
    const descriptor events(opened ? static_cast<int>(context.async_fd) : -1);
    constexpr unsigned smallest = 128; // IB_MTU_256 is 1, IB_MTU_4096 is 5
    const unsigned mtu = attributes.active_mtu;
    return known && mtu >= 1 && mtu <= 5 ? smallest << mtu : 0;
}

} // namespace nixlStripe
