// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/batch_lanes.h"

#include <algorithm>

namespace nixlStripe {

batchLanes::batchLanes(std::size_t chunk)
    : chunk_(std::max<std::size_t>(chunk, 1)) {}

std::size_t
batchLanes::evenFrom(std::size_t chunk, std::size_t lanes) {
    return lanes < 2 ? 0 : chunk * (lanes * (lanes - 1) / 2);
}

void
batchLanes::giveToUcx(std::size_t bytes, std::size_t lanes) {
    const std::size_t used = std::clamp<std::size_t>(bytes / chunk_, 1, lanes);
    const std::size_t part = used == 1 ? bytes : bytes / lanes;
    for (std::size_t lane = 0; lane < used; ++lane) {
        given_[lane].fetch_add(lane + 1 == used ? bytes - lane * part : part,
                               std::memory_order_relaxed);
    }
}

std::optional<std::size_t>
batchLanes::next(std::size_t bytes, std::size_t lanes) {
    if (bytes >= evenFrom(chunk_, lanes)) {
        return std::nullopt;
    }
    if (!in_batch_.exchange(true, std::memory_order_relaxed)) {
        for (auto &given : given_) {
            given.store(0, std::memory_order_relaxed);
        }
        giveToUcx(bytes, lanes);
        return std::nullopt;
    }
    std::size_t least = 0;
    std::uint64_t fewest = given_[0].load(std::memory_order_relaxed);
    for (std::size_t lane = 1; lane < lanes; ++lane) {
        const std::uint64_t given = given_[lane].load(std::memory_order_relaxed);
        if (given < fewest) {
            least = lane;
            fewest = given;
        }
    }
    given_[least].fetch_add(bytes, std::memory_order_relaxed);
    return least;
}

void
batchLanes::endBatch() {
    in_batch_.store(false, std::memory_order_relaxed);
}

} // namespace nixlStripe
