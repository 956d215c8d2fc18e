// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file queue_pairs.h
 * @brief Packets by queue pair and process, from packet sequence numbers. Pure.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_QUEUE_PAIRS_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_QUEUE_PAIRS_H

#include "counters/rdma_wire.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace nixlStripe {

/** Packets of payload that queue pairs have moved since they were first looked at. */
struct packetTotals {
    std::uint64_t asked = 0;    /**< by this end: of its WRITEs and SENDs out, of its READs in */
    std::uint64_t answered = 0; /**< by this end: WRITEs and SENDs in, responses to READs out */
};

/**
 * @brief Adds up how far sequence numbers went, look by look.
 *
 * A packet sequence number advances by one for each packet of payload, retransmissions not counted,
 * and has 24 bits: it goes over its end after 64 GiB in packets of 4 KiB, so looks must come more
 * often than that. A queue pair goes with its process: what it moved after the last look is lost.
 * Those that were made after the first look count from 0, where UCX starts them.
 */
class packetTracker {
public:
    /** Takes a look; the first sets the marks from which is counted. */
    void look(const std::vector<queuePair> &pairs);

    packetTotals total() const;

    /** By process; 0 = another PID namespace's. The kernel's own are not counted. */
    const std::map<std::uint32_t, packetTotals> &
    byProcess() const {
        return totals_;
    }

private:
    struct mark {
        std::uint32_t sent = 0;
        std::uint32_t received = 0;
    };

    std::map<std::pair<std::uint32_t, std::uint32_t>, mark> marks_; /**< by number and process */
    std::map<std::uint32_t, packetTotals> totals_;
    bool looked_ = false;
};

/** How far a sequence number of 24 bits went; as for counters, a fall from its lower half is a new
 * queue pair of the same number. */
std::uint32_t psnAdvance(std::uint32_t before, std::uint32_t after);

/** Packets by direction. */
struct packetDirections {
    std::uint64_t out = 0;
    std::uint64_t in = 0;
};

/**
 * @brief Tells which way packets of payload went, by what their NIC sent and received meanwhile.
 *
 * Sequence numbers do not tell a WRITE's packets, which go out, from a READ's, which come in. A
 * direction in which less than a tenth went had acknowledgements and requests only.
 */
packetDirections
splitPackets(const packetTotals &moved, std::uint64_t sent, std::uint64_t received);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_QUEUE_PAIRS_H
