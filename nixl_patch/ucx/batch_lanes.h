// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file batch_lanes.h
 * @brief Which NIC takes a small buffer.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_BATCH_LANES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_BATCH_LANES_H

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace nixlStripe {

/**
 * @brief The bytes that each lane of one endpoint has been given since the last flush.
 *
 * UCX begins every buffer at lane 0 and gives each lane at least MIN_RMA_CHUNK_SIZE, so that n
 * lanes share a buffer evenly only from chunk * n * (n - 1) / 2 bytes on. A buffer below that goes
 * whole to the lane with the fewest bytes. The first one after a flush is UCX's to send: when it is
 * alone its latency must be what it was.
 *
 * Safe to call from several threads; what they give at the same time may land on one lane.
 */
class batchLanes {
public:
    /** A worker of UCX keeps 128 kinds of keys, and each lane makes one more; they must not run
     * out. */
    static constexpr std::size_t max_lanes = 16;

    /** @param chunk UCX's MIN_RMA_CHUNK_SIZE in bytes. */
    explicit batchLanes(std::size_t chunk);

    /** Buffers of this many bytes and more are shared evenly by @p lanes lanes. */
    static std::size_t evenFrom(std::size_t chunk, std::size_t lanes);

    /**
     * @brief Takes note of a buffer that is about to be sent.
     * @param lanes 2..max_lanes; lanes that can carry it.
     * @return the lane to send it through; nothing: as UCX would.
     */
    std::optional<std::size_t> next(std::size_t bytes, std::size_t lanes);

    /** A flush ends the batch. */
    void endBatch();

private:
    void giveToUcx(std::size_t bytes, std::size_t lanes);

    const std::size_t chunk_;
    std::atomic<bool> in_batch_{false};
    std::array<std::atomic<std::uint64_t>, max_lanes> given_{};
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_BATCH_LANES_H
