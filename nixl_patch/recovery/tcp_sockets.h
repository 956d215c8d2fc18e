// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file tcp_sockets.h
 * @brief What the kernel knows of this process's TCP connections: who does not answer, and what is
 *        still under way.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_TCP_SOCKETS_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_TCP_SOCKETS_H

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace nixlStripe {

/** One line of /proc/net/tcp or tcp6. */
struct tcpSocket {
    std::string localAddress;  /**< as the kernel prints it: "0100007F" */
    unsigned state = 0;        /**< 1 is established, 6 waits for its end, 10 listens */
    std::uint64_t unacked = 0; /**< bytes that the peer's kernel has not acknowledged */
    unsigned retransmits = 0;  /**< timeouts since the peer last answered */
    unsigned probes = 0;       /**< the same of probes of a connection that is idle or full */
    std::uint64_t inode = 0;   /**< 0: closed by its process, and still there */
};

/** By both ends' addresses and ports, which no two connections share. */
using tcpSockets_t = std::map<std::string, tcpSocket>;

/** Adds what stands in such a file; lines that are none are left out. Pure. */
void parseTcpSockets(std::string_view text, tcpSockets_t &sockets);

/** Of this thread's network namespace: connections, not those that listen. */
tcpSockets_t readTcpSockets();

/**
 * @brief Ends connections that this process has open, and drops what they have not sent yet.
 *
 * Their owner sees an error as if the kernel had given them up. Spared are those for which the
 * kernel would wait longer than @p patience (TCP_USER_TIMEOUT).
 */
void endConnections(const std::set<std::uint64_t> &inodes, std::chrono::milliseconds patience);

/** Inodes of the sockets that this process has open. */
std::set<std::uint64_t> ownInodes();

/** Interface of each address of this namespace, written as in tcpSocket. */
std::map<std::string, std::string> interfaceAddresses();

/** Whether a connection can no longer bring the peer anything. */
bool isOver(const tcpSocket &socket);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_TCP_SOCKETS_H
