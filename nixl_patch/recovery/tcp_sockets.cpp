// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/tcp_sockets.h"

#include "topology/descriptor.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr std::size_t max_text = std::size_t{16} << 20; // some 100 000 connections
    constexpr unsigned time_wait = 6;
    constexpr unsigned closed = 7;
    constexpr unsigned listens = 10;

    std::vector<std::string_view>
    words(std::string_view line) {
        std::vector<std::string_view> found;
        std::size_t at = 0;
        while ((at = line.find_first_not_of(' ', at)) != std::string_view::npos) {
            const std::size_t end = std::min(line.find(' ', at), line.size());
            found.push_back(line.substr(at, end - at));
            at = end;
        }
        return found;
    }

    template <typename number_t>
    bool
    read(std::string_view text, int base, number_t &number) {
        const auto done = std::from_chars(text.data(), text.data() + text.size(), number, base);
        return done.ec == std::errc() && done.ptr == text.data() + text.size();
    }

    /** number: local remote state tx:rx timer:when retransmits uid probes inode ... */
    std::optional<tcpSocket>
    parseLine(const std::vector<std::string_view> &line) {
        constexpr std::size_t least = 10;
        if (line.size() < least) {
            return std::nullopt;
        }
        tcpSocket socket;
        socket.localAddress = line[1].substr(0, line[1].find(':'));
        const bool is_read = read(line[3], 16, socket.state) &&
                             read(line[4].substr(0, line[4].find(':')), 16, socket.unacked) &&
                             read(line[6], 16, socket.retransmits) &&
                             read(line[8], 10, socket.probes) && read(line[9], 10, socket.inode);
        return is_read ? std::optional<tcpSocket>(socket) : std::nullopt;
    }

    std::string
    textOf(const char *path) {
        const descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
        std::string text;
        std::array<char, 65536> piece{};
        ssize_t got = 0;
        while (file.get() >= 0 && text.size() < max_text &&
               (got = ::read(file.get(), piece.data(), piece.size())) > 0) {
            text.append(piece.data(), static_cast<std::size_t>(got));
        }
        return text;
    }

    /** Calls @p work with the number and the inode of each socket that this process has open. */
    template <typename work_t>
    void
    forEachSocket(work_t work) {
        const std::unique_ptr<DIR, int (*)(DIR *)> folder(::opendir("/proc/self/fd"), &::closedir);
        while (folder != nullptr) {
            const dirent *entry = ::readdir(folder.get());
            if (entry == nullptr) {
                break;
            }
            std::array<char, 64> target{};
            const ssize_t size =
                ::readlinkat(::dirfd(folder.get()), entry->d_name, target.data(), target.size());
            std::string_view text(target.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
            constexpr std::string_view start = "socket:[";
            std::uint64_t inode = 0;
            int number = -1;
            if (text.substr(0, start.size()) == start && text.back() == ']' &&
                read(text.substr(start.size(), text.size() - start.size() - 1), 10, inode) &&
                read(std::string_view(entry->d_name), 10, number)) {
                work(number, inode);
            }
        }
    }

    /** In words of 32 bits, each as the machine has it. */
    std::string
    kernelText(const void *address, std::size_t bytes) {
        std::string text;
        for (std::size_t at = 0; at < bytes; at += sizeof(std::uint32_t)) {
            std::uint32_t word = 0;
            std::memcpy(&word, static_cast<const char *>(address) + at, sizeof word);
            std::array<char, 9> digits{};
            std::snprintf(digits.data(), digits.size(), "%08X", word);
            text += digits.data();
        }
        return text;
    }

} // namespace

void
parseTcpSockets(std::string_view text, tcpSockets_t &sockets) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const auto line = words(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto socket = parseLine(line);
        if (socket && socket->state != listens) {
            sockets[std::string(line[1]) + '-' + std::string(line[2])] = *socket;
        }
    }
}

tcpSockets_t
readTcpSockets() {
    tcpSockets_t sockets;
    parseTcpSockets(textOf("/proc/thread-self/net/tcp"), sockets);
    parseTcpSockets(textOf("/proc/thread-self/net/tcp6"), sockets);
    return sockets;
}

std::set<std::uint64_t>
ownInodes() {
    std::set<std::uint64_t> inodes;
    forEachSocket([&inodes](int, std::uint64_t inode) { inodes.insert(inode); });
    return inodes;
}

void
endConnections(const std::set<std::uint64_t> &inodes, std::chrono::milliseconds patience) {
    forEachSocket([&](int number, std::uint64_t inode) {
        if (inodes.count(inode) == 0) {
            return;
        }
        // A copy stays what it is, whatever others close and open meanwhile.
        const descriptor copy(::fcntl(number, F_DUPFD_CLOEXEC, 0));
        struct stat found = {};
        unsigned timeout_ms = 0;
        socklen_t size = sizeof timeout_ms;
        if (::fstat(copy.get(), &found) == 0 && found.st_ino == inode &&
            ::getsockopt(copy.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size) == 0 &&
            timeout_ms != 0 && std::chrono::milliseconds(timeout_ms) <= patience) {
            const linger none = {1, 0};
            ::setsockopt(copy.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
            ::shutdown(copy.get(), SHUT_RDWR);
        }
    });
}

std::map<std::string, std::string>
interfaceAddresses() {
    ifaddrs *list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs *)> owner(list, &::freeifaddrs);
    std::map<std::string, std::string> addresses;
    for (const ifaddrs *each = list; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr) {
            continue;
        }
        if (each->ifa_addr->sa_family == AF_INET) {
            const auto *address = reinterpret_cast<const sockaddr_in *>(each->ifa_addr);
            addresses[kernelText(&address->sin_addr, sizeof address->sin_addr)] = each->ifa_name;
        } else if (each->ifa_addr->sa_family == AF_INET6) {
            const auto *address = reinterpret_cast<const sockaddr_in6 *>(each->ifa_addr);
            addresses[kernelText(&address->sin6_addr, sizeof address->sin6_addr)] = each->ifa_name;
        }
    }
    return addresses;
}

bool
isOver(const tcpSocket &socket) {
    return socket.state == time_wait || socket.state == closed;
}

} // namespace nixlStripe
