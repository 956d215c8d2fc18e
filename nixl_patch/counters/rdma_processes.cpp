// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/rdma_processes.h"

namespace nixlStripe {

std::map<std::uint32_t, packetTotals>
rdmaProcesses::look() {
    const auto device = netlink_.device(device_);
    const auto pairs = device ? netlink_.queuePairs(*device) : std::nullopt;
    if (!pairs) {
        error_ = netlink_.lastError().empty() ? "RDMA netlink knows no device " + device_
                                              : netlink_.lastError();
        return {};
    }
    error_.clear();
    tracker_.look(*pairs);
    return tracker_.byProcess();
}

} // namespace nixlStripe
