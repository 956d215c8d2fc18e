// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/rdma_netlink.h"

#include <cerrno>
#include <cstddef>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr int family = 20; // NETLINK_RDMA
    constexpr time_t limit_s = 2;
    /** The kernel fills 32 KiB a datagram at most. */
    constexpr std::size_t buffer_bytes = std::size_t{256} << 10;
    /** A dump of a million queue pairs is shorter. */
    constexpr std::size_t max_answer_bytes = std::size_t{256} << 20;

} // namespace

rdmaNetlink::rdmaNetlink() {
    fd_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
    if (fd_ < 0) {
        failed("no RDMA netlink here", errno);
        return;
    }
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    const timeval limit{limit_s, 0};
    if (::bind(fd_, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0) {
        failed("RDMA netlink", errno);
        ::close(std::exchange(fd_, -1));
        return;
    }
    buffer_.resize(buffer_bytes);
}

rdmaNetlink::~rdmaNetlink() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

std::vector<rdmaDevice>
rdmaNetlink::devices() {
    std::vector<rdmaDevice> result;
    ask(rdmaCommand_t::DEVICES, std::nullopt, 0, [&result](std::string_view body) {
        if (auto item = parseRdmaDevice(body)) {
            result.push_back(std::move(*item));
        }
    });
    return result;
}

std::optional<rdmaDevice>
rdmaNetlink::device(const std::string &name) {
    for (rdmaDevice &item : devices()) {
        if (item.name == name) {
            return std::move(item);
        }
    }
    return std::nullopt;
}

std::optional<rdmaPort>
rdmaNetlink::port(const rdmaDevice &device, std::uint32_t port) {
    std::optional<rdmaPort> result;
    ask(rdmaCommand_t::PORT, device.index, port, [&result](std::string_view body) {
        result = parseRdmaPort(body);
    });
    return result;
}

std::optional<std::vector<namedCount>>
rdmaNetlink::statistics(const rdmaDevice &device, std::uint32_t port) {
    std::optional<std::vector<namedCount>> result;
    ask(rdmaCommand_t::STATISTICS, device.index, port, [&result](std::string_view body) {
        result = parseRdmaStatistics(body);
    });
    return result;
}

std::optional<std::vector<queuePair>>
rdmaNetlink::queuePairs(const rdmaDevice &device) {
    std::vector<queuePair> result;
    const bool answered =
        ask(rdmaCommand_t::QUEUE_PAIRS, device.index, 0, [&result](std::string_view body) {
            const auto some = parseQueuePairs(body);
            result.insert(result.end(), some.begin(), some.end());
        });
    return answered ? std::optional(std::move(result)) : std::nullopt;
}

bool
rdmaNetlink::ask(rdmaCommand_t command,
                 std::optional<std::uint32_t> device,
                 std::uint32_t port,
                 take_t take) {
    if (fd_ < 0) {
        return false;
    }
    // Statistics and ports are asked for one at a time, the rest as a dump.
    const std::uint16_t how = port != 0 ? NLM_F_ACK : NLM_F_DUMP;
    const auto type = static_cast<std::uint16_t>(command);
    netlinkRequest request(type, static_cast<std::uint16_t>(NLM_F_REQUEST | how), ++sequence_);
    if (device) {
        request.attribute(rdma_device_index, *device);
    }
    if (port != 0) {
        request.attribute(rdma_port_index, port);
    }
    error_.clear();
    return send(request) && receive(type, take);
}

bool
rdmaNetlink::send(const netlinkRequest &request) {
    const std::string &bytes = request.bytes();
    ssize_t sent = 0;
    do {
        sent = ::send(fd_, bytes.data(), bytes.size(), 0);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 || failed("RDMA netlink", errno);
}

bool
rdmaNetlink::receive(std::uint16_t type, const take_t &take) {
    std::size_t total = 0;
    while (total < max_answer_bytes) {
        sockaddr_nl from{};
        socklen_t from_size = sizeof from;
        const ssize_t got = ::recvfrom(fd_,
                                       buffer_.data(),
                                       buffer_.size(),
                                       MSG_TRUNC,
                                       reinterpret_cast<sockaddr *>(&from),
                                       &from_size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed("RDMA netlink", errno);
        }
        const auto size = static_cast<std::size_t>(got);
        if (size > buffer_.size()) {
            return failed("RDMA netlink", EMSGSIZE);
        }
        total += size + 1; // an empty datagram counts too
        if (from.nl_pid != 0) {
            continue; // other processes can write to us, only the kernel knows the answer
        }
        netlinkMessages messages(std::string_view(buffer_).substr(0, size));
        while (const auto message = messages.next()) {
            if (message->sequence != sequence_) {
                continue; // the late answer of a question that was given up
            }
            if (message->isError()) {
                const int code = message->errorCode();
                return code == 0 || failed("RDMA netlink", code);
            }
            if (message->isDone()) {
                return true;
            }
            if (message->type == type) {
                take(message->body);
            }
        }
    }
    return failed("RDMA netlink", EMSGSIZE);
}

bool
rdmaNetlink::failed(const std::string &what, int code) {
    error_ = what + ": " + std::generic_category().message(code);
    return false;
}

} // namespace nixlStripe
