// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Which lanes a small buffer takes.
#include "ucx/batch_lanes.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr std::size_t kib = 1024;
    constexpr std::size_t chunk = 8 * kib;

    laneSet_t
    all(std::size_t lanes) {
        return lanes == 64 ? ~laneSet_t{0} : (laneSet_t{1} << lanes) - 1;
    }

    /** Bytes by lane; where UCX chooses, it takes lane 0 at worst. */
    void
    give(std::vector<std::size_t> &total, laneSet_t lanes, std::size_t bytes) {
        const auto used = static_cast<std::size_t>(__builtin_popcountll(lanes));
        for (std::size_t lane = 0; lane < total.size(); ++lane) {
            if (used == 0 ? lane == 0 : (lanes >> lane & 1) != 0) {
                total[lane] += used == 0 ? bytes : bytes / used;
            }
        }
    }

    std::vector<std::size_t>
    given(batchLanes &lanes, std::size_t count, const std::vector<std::size_t> &sizes) {
        std::vector<std::size_t> total(count);
        for (const std::size_t bytes : sizes) {
            give(total, lanes.next(bytes, all(count)), bytes);
        }
        return total;
    }

    TEST(BatchLanes, anyMixOfSmallBuffersIsEven) {
        for (const std::size_t count : {2U, 3U, 4U, 8U, 16U, 17U, 32U, 64U}) {
            const std::size_t largest = batchLanes::evenFrom(chunk, count) - 1;
            std::vector<std::size_t> mixed;
            for (std::size_t i = 0; i < 290; ++i) {
                mixed.push_back(1 + i * 7919 % largest);
            }
            sharedTurns turns;
            batchLanes lanes(chunk, count, turns);
            for (const auto &sizes : {std::vector<std::size_t>(290, 4 * kib),
                                      std::vector<std::size_t>(290, largest),
                                      mixed}) {
                const auto total = given(lanes, count, sizes);
                const auto sum = std::accumulate(total.begin(), total.end(), std::size_t{0});
                const double fair = static_cast<double>(sum) / static_cast<double>(count);
                // One buffer more or less is as even as whole buffers can be, and the first one may
                // be on lane 0 alone here.
                const double two =
                    2 * static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
                for (const std::size_t bytes : total) {
                    EXPECT_NEAR(static_cast<double>(bytes), fair, two) << count;
                }
                lanes.endBatch();
            }
        }
    }

    TEST(BatchLanes, aLoneBufferGoesByAsManyLanesAsUcxSharesItEvenlyBy) {
        sharedTurns turns;
        batchLanes lanes(chunk, 4, turns);
        const std::vector<std::pair<std::size_t, laneSet_t>> expected = {
            {4 * kib, 0},      // UCX's own key does that
            {8 * kib - 1, 0},  // the same
            {8 * kib, 0b11},   // two lanes, as stock
            {16 * kib, 0b11},  // the same
            {24 * kib, 0b111}, // three
            {48 * kib, 0}};    // all of them
        for (int i = 0; i < 3; ++i) {
            for (const auto &[bytes, wanted] : expected) {
                EXPECT_EQ(lanes.next(bytes, all(4)), wanted) << bytes;
                lanes.endBatch();
            }
        }
        EXPECT_EQ(lanes.next(16 * kib, 0b1110), 0b0110U) << "the first that reach the memory";
        EXPECT_EQ(lanes.next(16 * kib, 0b1110), 0b1000U) << "then the one that has nothing";
    }

    TEST(BatchLanes, theSecondBufferOfABatchAvoidsTheFirst) {
        sharedTurns turns;
        batchLanes lanes(chunk, 4, turns);
        EXPECT_EQ(lanes.next(4 * kib, all(4)), 0U);
        EXPECT_EQ(lanes.next(4 * kib, all(4)), 0b0010U) << "lane 0 has the first one";
    }

    TEST(BatchLanes, requestsOfOneBufferInFlightTogetherAreEven) {
        for (const std::size_t bytes : {4 * kib, 16 * kib}) {
            sharedTurns turns;
            batchLanes lanes(chunk, 4, turns);
            std::vector<std::size_t> total(4);
            for (int i = 0; i < 64; ++i) {
                give(total, lanes.next(bytes, all(4)), bytes);
                lanes.endBatch();
                turns.begin(); // its flush is under way
            }
            for (const std::size_t each : total) {
                EXPECT_NEAR(static_cast<double>(each),
                            16.0 * static_cast<double>(bytes),
                            static_cast<double>(bytes));
            }
            for (int i = 0; i < 64; ++i) {
                turns.end();
            }
            EXPECT_EQ(lanes.next(4 * kib, all(4)), 0U) << "alone again";
        }
    }

    TEST(BatchLanes, requestsOneAfterTheOtherAreAloneBadFlow) {
        sharedTurns turns;
        batchLanes lanes(chunk, 4, turns);
        for (int i = 0; i < 64; ++i) {
            EXPECT_EQ(lanes.next(4 * kib, all(4)), 0U) << i;
            lanes.endBatch();
            turns.begin();
            turns.end();
        }
    }

    TEST(BatchLanes, endpointsOfOneContextBeginAtDifferentLanes) {
        sharedTurns turns;
        std::vector<std::size_t> total(4);
        turns.begin(); // something is under way on another endpoint
        for (int peer = 0; peer < 8; ++peer) {
            batchLanes lanes(chunk, 4, turns);
            give(total, lanes.next(4 * kib, all(4)), 4 * kib);
            lanes.endBatch();
            turns.begin();
        }
        EXPECT_EQ(total, std::vector<std::size_t>(4, 2 * 4 * kib));
    }

    TEST(BatchLanes, whatUcxSharesEvenlyIsLeftToIt) {
        EXPECT_EQ(batchLanes::evenFrom(chunk, 4), 48 * kib);
        EXPECT_EQ(batchLanes::evenFrom(chunk, 8), 224 * kib);
        EXPECT_EQ(batchLanes::evenFrom(chunk, 1), 0U);
        EXPECT_EQ(batchLanes::evenLanes(chunk, 8, 48 * kib), 4U);
        EXPECT_EQ(batchLanes::evenLanes(chunk, 2, 48 * kib), 2U);
        sharedTurns turns;
        batchLanes lanes(chunk, 8, turns);
        lanes.next(1, all(4));
        EXPECT_NE(lanes.next(48 * kib - 1, all(4)), 0U);
        EXPECT_EQ(lanes.next(48 * kib, all(4)), 0U);
        EXPECT_NE(lanes.next(48 * kib, all(8)), 0U);
    }

} // namespace
} // namespace nixlStripe
