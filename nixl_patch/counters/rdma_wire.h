// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file rdma_wire.h
 * @brief What the bodies of RDMA netlink's messages say (rdma/rdma_netlink.h). Pure.
 *
 * Texts come out printable; entries that lack what makes them one are left out.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_WIRE_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_WIRE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Commands of its client NLDEV as message types: (client << 10) + command. */
enum class rdmaCommand_t : std::uint16_t {
    DEVICES = (5 << 10) + 1,      /**< RDMA_NLDEV_CMD_GET */
    PORT = (5 << 10) + 5,         /**< RDMA_NLDEV_CMD_PORT_GET */
    QUEUE_PAIRS = (5 << 10) + 10, /**< RDMA_NLDEV_CMD_RES_QP_GET */
    STATISTICS = (5 << 10) + 17,  /**< RDMA_NLDEV_CMD_STAT_GET */
};

/** Attributes with which a request names what it is about. */
constexpr std::uint16_t rdma_device_index = 1; /**< RDMA_NLDEV_ATTR_DEV_INDEX */
constexpr std::uint16_t rdma_port_index = 3;   /**< RDMA_NLDEV_ATTR_PORT_INDEX */

/** An RDMA device. */
struct rdmaDevice {
    std::string name;
    std::uint32_t index = 0;
    std::uint32_t ports = 0; /**< how many; they are numbered from 1 */
};

/** A port. */
struct rdmaPort {
    unsigned state = 0; /**< 4 is ACTIVE; 0 = unknown */
    std::string netdev; /**< its interface, if that is in the asker's network namespace */
    std::uint32_t netdevIndex = 0;
};

/** A counter by its driver's name. */
struct namedCount {
    std::string name;
    std::uint64_t value = 0;
};

/** A queue pair. */
struct queuePair {
    std::uint32_t number = 0;
    std::uint32_t port = 0; /**< 0 = unknown */
    std::uint32_t pid = 0;  /**< in the asker's PID namespace; 0 = not of it, or the kernel's */
    bool isKernels = false;
    unsigned type = 0;                       /**< IB_QPT_*: 2 is RC, 3 UC, 4 UD */
    std::optional<std::uint32_t> sendPsn;    /**< packets that it asked for, modulo 2^24 */
    std::optional<std::uint32_t> receivePsn; /**< packets that it answered, modulo 2^24 */
};

/** The device of a message; none when it has no name or no index. */
std::optional<rdmaDevice> parseRdmaDevice(std::string_view body);

rdmaPort parseRdmaPort(std::string_view body);

/** At most 4096 counters: no driver has a tenth of that. */
std::vector<namedCount> parseRdmaStatistics(std::string_view body);

std::vector<queuePair> parseQueuePairs(std::string_view body);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_WIRE_H
