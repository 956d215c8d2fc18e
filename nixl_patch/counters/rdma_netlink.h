// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file rdma_netlink.h
 * @brief RDMA netlink: devices, ports, statistics and queue pairs. It needs no privilege and
 * answers in any network namespace that may use the devices, where sysfs shows no counters.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_NETLINK_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_NETLINK_H

#include "counters/netlink_wire.h"
#include "counters/rdma_wire.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief A socket of the family; not open where the kernel has no RDMA.
 *
 * Not for several threads at once. A question waits 2 s at most for its answer. What cannot be
 * answered is none, and lastError() says why.
 */
class rdmaNetlink {
public:
    rdmaNetlink();
    ~rdmaNetlink();
    rdmaNetlink(const rdmaNetlink &) = delete;
    rdmaNetlink &operator=(const rdmaNetlink &) = delete;

    std::vector<rdmaDevice> devices();
    std::optional<rdmaDevice> device(const std::string &name);
    std::optional<rdmaPort> port(const rdmaDevice &device, std::uint32_t port);

    /** The driver's default counters of a port, and the optional ones that were enabled. */
    std::optional<std::vector<namedCount>> statistics(const rdmaDevice &device, std::uint32_t port);

    /** The queue pairs of a device; pid only of those in this process's PID namespace. */
    std::optional<std::vector<queuePair>> queuePairs(const rdmaDevice &device);

    /** What the last question failed by, "" when it was answered. */
    const std::string &
    lastError() const {
        return error_;
    }

private:
    using take_t = std::function<void(std::string_view body)>;

    bool ask(rdmaCommand_t command,
             std::optional<std::uint32_t> device,
             std::uint32_t port,
             take_t take);
    bool send(const netlinkRequest &request);
    bool receive(std::uint16_t type, const take_t &take);
    bool failed(const std::string &what, int code);

    int fd_ = -1;
    std::uint32_t sequence_ = 0;
    std::string buffer_;
    std::string error_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_NETLINK_H
