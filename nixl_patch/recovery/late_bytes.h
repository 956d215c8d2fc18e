// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file late_bytes.h
 * @brief Whether bytes of an attempt that was given up can still reach the peer. Pure.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_LATE_BYTES_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_LATE_BYTES_H

#include "recovery/tcp_sockets.h"

#include <chrono>
#include <set>
#include <string>

namespace nixlStripe {

/**
 * @brief The connections of an attempt that was given up, and what became of them.
 *
 * UCX closes the connections of an endpoint that failed; what the kernel has taken it still sends.
 * So a WRITE that was sent again must not count as complete before every connection that was there
 * is gone, or has been seen with nothing that the peer's kernel had not acknowledged.
 */
class lateBytes {
public:
    using time_t = std::chrono::steady_clock::time_point;

    /** Longer than a packet is under way in a network of hosts that do not route. */
    static constexpr std::chrono::milliseconds packet_life{500};
    /** After this time the transfer ends with an error instead. */
    static constexpr std::chrono::seconds limit{10};

    /** More that was given up, at @p now. */
    void add(const tcpSockets_t &own, time_t now);

    /** Looks again. @return whether nothing can come any more. */
    bool isOver(const tcpSockets_t &sockets, time_t now);

    bool
    isTooLate(time_t now) const {
        return now - since_ > limit;
    }

    /** Whether there was anything to look at; without it nothing can be said. */
    bool
    isKnown() const {
        return is_known_;
    }

private:
    std::set<std::string> open_; /**< by both ends */
    bool is_known_ = false;
    time_t since_{};
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_LATE_BYTES_H
