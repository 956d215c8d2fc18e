// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file rdma_processes.h
 * @brief Which processes move how much over an RDMA device.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_PROCESSES_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_PROCESSES_H

#include "counters/queue_pairs.h"
#include "counters/rdma_netlink.h"

#include <map>
#include <string>
#include <utility>

namespace nixlStripe {

/** The processes of this machine that have queue pairs on a device, as RDMA netlink tells them. */
class rdmaProcesses {
public:
    explicit rdmaProcesses(std::string device)
        : device_(std::move(device)) {}

    /**
     * Takes a look and returns packets by process since the first one; 0 stands for processes of
     * other PID namespaces. error() says why when it is empty for want of an answer.
     */
    std::map<std::uint32_t, packetTotals> look();

    const std::string &
    error() const {
        return error_;
    }

private:
    std::string device_;
    rdmaNetlink netlink_;
    packetTracker tracker_;
    std::string error_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_RDMA_PROCESSES_H
