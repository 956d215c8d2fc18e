// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file batch_lanes.h
 * @brief Which NICs take a small buffer.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_BATCH_LANES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_BATCH_LANES_H

#include "ucx/rma_stage.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nixlStripe {

/** What the endpoints of one context share, so that requests in flight together take turns. */
class sharedTurns {
public:
    /** A batch is about to be flushed. */
    void
    begin() {
        in_flight_.fetch_add(1, std::memory_order_relaxed);
    }

    void
    end() {
        in_flight_.fetch_sub(1, std::memory_order_relaxed);
    }

    bool
    areInFlight() const {
        return in_flight_.load(std::memory_order_relaxed) > 0;
    }

    /** A number that nobody else got: where a batch begins, so that not all begin at one NIC. */
    std::size_t
    next() {
        return turn_.fetch_add(1, std::memory_order_relaxed);
    }

private:
    std::atomic<std::int64_t> in_flight_{0};
    std::atomic<std::size_t> turn_{0};
};

/**
 * @brief The bytes that each lane of one endpoint has been given while there was something to do.
 *
 * UCX begins every buffer at its first lane and gives each lane at least MIN_RMA_CHUNK_SIZE, so
 * that n lanes share a buffer evenly only from chunk * n * (n - 1) / 2 bytes on. A buffer below
 * that goes whole to the lane with the fewest bytes. Requests that are under way at the same time
 * share one count, whichever flush they belong to.
 *
 * A buffer that finds nothing under way may be alone: what counts is its own time, so it is UCX's
 * to cut, over as many lanes as UCX divides it by evenly.
 *
 * Safe to call from several threads; what they give at the same time may land on one lane.
 */
class batchLanes {
public:
    /** UCX's own limit. */
    static constexpr std::size_t max_lanes = 64;

    /**
     * @param chunk UCX's MIN_RMA_CHUNK_SIZE in bytes.
     * @param lanes of the endpoint, 1..max_lanes.
     */
    batchLanes(std::size_t chunk, std::size_t lanes, sharedTurns &turns);

    /** Buffers of this many bytes and more are shared evenly by @p lanes lanes. */
    static std::size_t evenFrom(std::size_t chunk, std::size_t lanes);

    /** The most lanes, at least 1 and at most @p lanes, that share @p bytes evenly. */
    static std::size_t evenLanes(std::size_t chunk, std::size_t lanes, std::size_t bytes);

    /**
     * @brief Takes note of a buffer that is about to be sent.
     * @param reach Lanes that can carry it, two or more.
     * @return the lanes to send it through; 0: as UCX would.
     */
    laneSet_t next(std::size_t bytes, laneSet_t reach);

    /** A flush ends the batch. */
    void
    endBatch() {
        in_batch_.store(false, std::memory_order_relaxed);
    }

private:
    laneSet_t first(std::size_t bytes, laneSet_t reach);

    const std::size_t chunk_;
    sharedTurns &turns_;
    std::atomic<bool> in_batch_{false};
    std::atomic<std::size_t> start_{0}; /**< the lane that is asked first */
    std::vector<std::atomic<std::uint64_t>> given_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_BATCH_LANES_H
