// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/batch_lanes.h"

#include <algorithm>

namespace nixlStripe {
namespace {

    laneSet_t
    one(std::size_t lane) {
        return laneSet_t{1} << lane;
    }

    std::size_t
    count(laneSet_t lanes) {
        return static_cast<std::size_t>(__builtin_popcountll(lanes));
    }

    /** The first @p wanted lanes of @p lanes. */
    laneSet_t
    firstOf(laneSet_t lanes, std::size_t wanted) {
        laneSet_t found = 0;
        for (; wanted > 0; --wanted) {
            const laneSet_t lowest = lanes & (~lanes + 1);
            found |= lowest;
            lanes ^= lowest;
        }
        return found;
    }

} // namespace

batchLanes::batchLanes(std::size_t chunk, std::size_t lanes, sharedTurns &turns)
    : chunk_(std::max<std::size_t>(chunk, 1))
    , turns_(turns)
    , given_(std::clamp<std::size_t>(lanes, 1, max_lanes)) {}

std::size_t
batchLanes::evenFrom(std::size_t chunk, std::size_t lanes) {
    return lanes < 2 ? 0 : chunk * (lanes * (lanes - 1) / 2);
}

std::size_t
batchLanes::evenLanes(std::size_t chunk, std::size_t lanes, std::size_t bytes) {
    std::size_t even = 1;
    while (even < lanes && evenFrom(chunk, even + 1) <= bytes) {
        ++even;
    }
    return even;
}

laneSet_t
batchLanes::first(std::size_t bytes, laneSet_t reach) {
    for (auto &given : given_) {
        given.store(0, std::memory_order_relaxed);
    }
    start_.store(0, std::memory_order_relaxed);
    const std::size_t even = evenLanes(chunk_, count(reach), bytes);
    const laneSet_t used = firstOf(reach, even);
    for (std::size_t lane = 0; lane < given_.size(); ++lane) {
        if ((used & one(lane)) != 0) {
            given_[lane].store(bytes / even, std::memory_order_relaxed);
        }
    }
    // On one lane UCX's own key does the same, and needs no other.
    return even == 1 ? 0 : used;
}

laneSet_t
batchLanes::next(std::size_t bytes, laneSet_t reach) {
    if (bytes >= evenFrom(chunk_, count(reach))) {
        return 0;
    }
    if (!in_batch_.load(std::memory_order_relaxed) &&
        !in_batch_.exchange(true, std::memory_order_relaxed)) {
        if (!turns_.areInFlight()) {
            return first(bytes, reach);
        }
        start_.store(turns_.next() % given_.size(), std::memory_order_relaxed);
    }
    const std::size_t lanes = given_.size();
    std::size_t lane = start_.load(std::memory_order_relaxed);
    std::size_t least = lanes;
    std::uint64_t fewest = 0;
    for (std::size_t asked = 0; asked < lanes; ++asked) {
        if ((reach & one(lane)) != 0) {
            const std::uint64_t given = given_[lane].load(std::memory_order_relaxed);
            if (least == lanes || given < fewest) {
                least = lane;
                fewest = given;
            }
        }
        lane = lane + 1 == lanes ? 0 : lane + 1;
    }
    given_[least].fetch_add(bytes, std::memory_order_relaxed);
    return one(least);
}

} // namespace nixlStripe
