// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Which key an operation gets. The keys are UCX's form; UCX itself is not needed to choose.
#include "ucx/batch_lanes.h"
#include "ucx/config_text.h"
#include "ucx/packed_key.h"
#include "ucx/small_spread.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <set>

namespace nixlStripe {
namespace {

    using bytes_t = std::vector<std::uint8_t>;

    constexpr std::size_t kib = 1024;
    constexpr std::size_t chunk = 8 * kib;

    /** A key for @p keys by domain; @p behind: the device, unknown as a rule, and distances. */
    bytes_t
    packed(const std::map<unsigned, bytes_t> &keys, const bytes_t &behind = {0xff}) {
        std::uint64_t domains = 0;
        for (const auto &[domain, key] : keys) {
            domains |= std::uint64_t{1} << domain;
        }
        bytes_t bytes(sizeof domains + 1);
        std::memcpy(bytes.data(), &domains, sizeof domains);
        for (const auto &[domain, key] : keys) {
            bytes.push_back(static_cast<std::uint8_t>(key.size()));
            bytes.insert(bytes.end(), key.begin(), key.end());
        }
        bytes.insert(bytes.end(), behind.begin(), behind.end());
        return bytes;
    }

    const std::map<unsigned, bytes_t> four_nics = {{0, {}},
                                                   {5, {5, 5, 5, 5, 5, 5, 5, 5}},
                                                   {6, {6, 6, 6, 6, 6, 6, 6, 6}},
                                                   {7, {7, 7, 7, 7, 7, 7, 7, 7}},
                                                   {63, {8, 8, 8, 8, 8, 8, 8, 8}}};

    TEST(PackedKey, isNarrowedToOneDomain) {
        const bytes_t bytes = packed(four_nics);
        const packedKey key(bytes.data());
        EXPECT_EQ(key.size(), bytes.size() - 1);
        EXPECT_EQ(key.domains(), 0x80000000000000e1U);
        EXPECT_EQ(key.narrowedTo(6), packed({{6, four_nics.at(6)}}));
        EXPECT_EQ(key.narrowedTo(63), packed({{63, four_nics.at(63)}}));
        EXPECT_EQ(key.narrowedTo(0), packed({{0, {}}}));
        for (const unsigned absent : {1U, 8U, 62U, 64U, 200U}) {
            EXPECT_FALSE(key.narrowedTo(absent).has_value()) << absent;
        }
    }

    TEST(PackedKey, memoryTypeIsKept) {
        bytes_t bytes = packed(four_nics);
        bytes[8] = 1;
        EXPECT_EQ(packedKey(bytes.data()).narrowedTo(5)->at(8), 1);
    }

    TEST(PackedKey, formIsCheckedWhereTheSizeIsKnown) {
        const bytes_t bytes = packed(four_nics);
        EXPECT_TRUE(packedKey::describes(bytes.data(), bytes.size()));
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(packedKey::describes(bytes.data(), size)) << size;
        }
        const bytes_t on_a_gpu = packed(four_nics, {0, 1, 2, 3, 4, 5, 6, 7, 8});
        EXPECT_TRUE(packedKey::describes(on_a_gpu.data(), on_a_gpu.size()));
        const bytes_t torn = packed(four_nics, {0xff, 0});
        EXPECT_FALSE(packedKey::describes(torn.data(), torn.size()));
        const bytes_t longer = packed(four_nics, bytes_t(1000, 0));
        EXPECT_FALSE(packedKey::describes(longer.data(), longer.size())) << "another form";
    }

    TEST(RmaLanes, areReadFromUcxsDescription) {
        EXPECT_EQ(
            parseRmaLanes(
                "#\n# UCP endpoint \n#               peer: <no debug data>\n"
                "#                 lane[0]:  9:rc_verbs/rxe0:1.0 md[5]       -> md[7]/ib/sysdev[0] "
                "seg 4294967295 rma_bw#1 am\n"
                "#                 lane[1]: 11:rc_mlx5/mlx5_1:1.0 md[6]      -> "
                "md[12]/ib/sysdev[1] "
                "rma_bw#0\n"
                "#                 lane[4]: 10:ud_verbs/rxe0:1.0 md[5]       -> md[5]/ib/sysdev[0] "
                "keepalive wireup\n"),
            (std::vector<unsigned>{7, 12}));
        EXPECT_TRUE(parseRmaLanes("").empty());
    }

    TEST(RmaLanes, aLineThatCannotBeReadSpoilsThemAll) {
        const std::string good = "# lane[0]: 9:rc/rxe0 md[5] -> md[5]/ib rma_bw#0\n";
        ASSERT_EQ(parseRmaLanes(good).size(), 1U);
        for (const char *bad : {"# lane[1]: 9:rc/rxe1 md[5] rma_bw#1\n",
                                "# lane[1]: 9:rc/rxe1 -> md[x]/ib rma_bw#1\n",
                                "# lane[1]: 9:rc/rxe1 -> md[64]/ib rma_bw#1\n",
                                "# lane[1]: 9:rc/rxe1 -> md[6 rma_bw#1"}) {
            EXPECT_TRUE(parseRmaLanes(good + bad).empty()) << bad;
        }
    }

    /** Bytes by lane of a batch of which UCX sends the first buffer, through lane 0 at worst. */
    std::vector<std::size_t>
    given(batchLanes &lanes, std::size_t count, const std::vector<std::size_t> &sizes) {
        std::vector<std::size_t> total(count);
        for (const std::size_t bytes : sizes) {
            total[lanes.next(bytes, count).value_or(0)] += bytes;
        }
        return total;
    }

    TEST(BatchLanes, anyMixOfSmallBuffersIsEven) {
        for (const std::size_t count : {2U, 3U, 4U, 8U, 16U}) {
            const std::size_t largest = batchLanes::evenFrom(chunk, count) - 1;
            std::vector<std::size_t> mixed;
            for (std::size_t i = 0; i < 290; ++i) {
                mixed.push_back(1 + i * 7919 % largest);
            }
            batchLanes lanes(chunk);
            for (const auto &sizes : {std::vector<std::size_t>(290, 4 * kib),
                                      std::vector<std::size_t>(290, largest),
                                      mixed}) {
                const auto total = given(lanes, count, sizes);
                const auto sum = std::accumulate(total.begin(), total.end(), std::size_t{0});
                const double fair = static_cast<double>(sum) / static_cast<double>(count);
                // One buffer more or less is as even as whole buffers can be, and the first one is
                // on lane 0 alone here.
                const double two =
                    2 * static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
                for (const std::size_t bytes : total) {
                    EXPECT_NEAR(static_cast<double>(bytes), fair, two) << count;
                }
                lanes.endBatch();
            }
        }
    }

    TEST(BatchLanes, aLoneBufferIsLeftToUcx) {
        batchLanes lanes(chunk);
        for (int i = 0; i < 10; ++i) {
            EXPECT_FALSE(lanes.next(4 * kib, 4).has_value()) << i;
            lanes.endBatch();
        }
        EXPECT_FALSE(lanes.next(4 * kib, 4).has_value());
        EXPECT_EQ(lanes.next(4 * kib, 4), 1U) << "lane 0 has the first one";
    }

    TEST(BatchLanes, whatUcxSharesEvenlyIsLeftToIt) {
        EXPECT_EQ(batchLanes::evenFrom(chunk, 4), 48 * kib);
        EXPECT_EQ(batchLanes::evenFrom(chunk, 8), 224 * kib);
        EXPECT_EQ(batchLanes::evenFrom(chunk, 1), 0U);
        batchLanes lanes(chunk);
        lanes.next(1, 4);
        EXPECT_TRUE(lanes.next(48 * kib - 1, 4).has_value());
        EXPECT_FALSE(lanes.next(48 * kib, 4).has_value());
        EXPECT_TRUE(lanes.next(48 * kib, 8).has_value());
    }

    /** A UCX whose keys are numbers: it keeps what it was given and what is alive. */
    struct ledger {
        std::map<void *, bytes_t> alive;
        std::uintptr_t last = 1000;
        std::size_t refusesFrom = 1000000;
        std::vector<unsigned> lanes = {5, 6, 7, 63};
    };

    ledger *book = nullptr;

    ucsStatus_t
    unpack(void *, const void *bytes, void **key) {
        if (book->alive.size() >= book->refusesFrom) {
            return ucs_err_invalid_param;
        }
        const packedKey read(bytes);
        const auto *start = static_cast<const std::uint8_t *>(bytes);
        *key = reinterpret_cast<void *>(++book->last);
        book->alive[*key] = bytes_t(start, start + read.size());
        return ucs_ok;
    }

    void
    destroy(void *key) {
        EXPECT_EQ(book->alive.erase(key), 1U);
    }

    int things[16];
    void *const context = &things[0];
    void *const worker = &things[1];
    void *const endpoint = &things[2];
    void *const key = &things[3];

    class SmallSpread : public ::testing::Test {
    protected:
        void
        SetUp() override {
            book = &book_;
        }

        /** A watched context with one endpoint and one key to memory on four NICs. */
        void
        makeAll(bool registers_first = true) {
            spread.watchContext(context, chunk);
            if (registers_first) {
                spread.keyPacked(bytes.data(), bytes.size());
            }
            spread.workerMade(context, worker);
            spread.endpointMade(worker, endpoint);
            spread.keyMade(endpoint, bytes.data(), key);
        }

        /** The domains that @p count buffers of @p size bytes go to, by count; 0: the whole key. */
        std::map<std::uint64_t, int>
        domains(int count, std::size_t size) {
            std::map<std::uint64_t, int> found;
            for (int i = 0; i < count; ++i) {
                void *chosen = spread.keyFor(endpoint, size, key);
                ++found[chosen == key ? 0 : packedKey(book_.alive.at(chosen).data()).domains()];
            }
            return found;
        }

        ledger book_;
        bytes_t bytes = packed(four_nics);
        /** What packOne packs; empty: UCX does not. */
        bytes_t own_;
        int packed_ = 0;
        smallSpread spread{{&unpack,
                            &destroy,
                            [this](const void *) { return book_.lanes; },
                            [this](const void *of) {
                                EXPECT_EQ(of, context);
                                ++packed_;
                                if (!own_.empty()) {
                                    spread.keyPacked(own_.data(), own_.size());
                                }
                            }}};
    };

    TEST_F(SmallSpread, aBatchTakesTurns) {
        makeAll();
        const std::map<std::uint64_t, int> even = {
            {0, 1}, {1 << 5, 24}, {1 << 6, 25}, {1 << 7, 25}, {std::uint64_t{1} << 63, 25}};
        EXPECT_EQ(domains(100, 4 * kib), even);
        spread.flushed(endpoint);
        EXPECT_EQ(domains(100, 4 * kib), even) << "the next batch is even by itself";
        EXPECT_EQ(book_.alive.size(), 4U) << "one key for each lane, made once";
        spread.keyGone(key);
        EXPECT_TRUE(book_.alive.empty());
    }

    TEST_F(SmallSpread, largeAndLoneBuffersKeepTheirKey) {
        makeAll();
        const std::map<std::uint64_t, int> whole = {{0, 1}};
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(domains(1, 4 * kib), whole);
            spread.flushed(endpoint);
        }
        EXPECT_EQ(domains(3, kib * kib).at(0), 3);
        EXPECT_EQ(domains(3, 48 * kib).at(0), 3);
        spread.keyGone(key);
    }

    TEST_F(SmallSpread, onlyLanesThatReachTheMemoryAreUsed) {
        bytes = packed({{5, four_nics.at(5)}, {7, four_nics.at(7)}, {9, {1}}});
        makeAll();
        EXPECT_EQ(domains(101, 4 * kib),
                  (std::map<std::uint64_t, int>{{0, 1}, {1 << 5, 50}, {1 << 7, 50}}));
        spread.keyGone(key);
        EXPECT_TRUE(book_.alive.empty());
    }

    TEST_F(SmallSpread, nothingIsSpreadOverOneLane) {
        book_.lanes = {5};
        makeAll();
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        spread.keyGone(key);
        EXPECT_TRUE(book_.alive.empty());
    }

    TEST_F(SmallSpread, ucxsRefusalLeavesTheWholeKey) {
        book_.refusesFrom = 0;
        makeAll();
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        spread.keyGone(key);
    }

    TEST_F(SmallSpread, whatIsNotWatchedIsLeftAlone) {
        spread.keyPacked(bytes.data(), bytes.size());
        spread.workerMade(context, worker);
        spread.endpointMade(worker, endpoint);
        spread.keyMade(endpoint, bytes.data(), key);
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        spread.keyGone(key);
        makeAll();
        EXPECT_EQ(spread.keyFor(&things[9], 4 * kib, key), key) << "another endpoint";
        EXPECT_EQ(spread.keyFor(endpoint, 4 * kib, &things[9]), &things[9]) << "another key";
        spread.keyGone(key);
    }

    TEST_F(SmallSpread, addressesMayComeAgain) {
        makeAll();
        spread.workerGone(worker);
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        makeAll();
        spread.forgetContext(context);
        spread.workerMade(context, worker);
        spread.endpointMade(worker, endpoint);
        spread.keyMade(endpoint, bytes.data(), key);
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        makeAll();
        EXPECT_EQ(domains(10, 4 * kib).at(0), 1);
        spread.endpointGone(endpoint);
        spread.keyGone(key);
        spread.keyMade(endpoint, bytes.data(), key);
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        EXPECT_TRUE(book_.alive.empty());
    }

    TEST_F(SmallSpread, keysOfAnotherFormAreLeftAlone) {
        const bytes_t strange = packed(four_nics, bytes_t(1000, 0));
        spread.keyPacked(strange.data(), strange.size());
        makeAll();
        EXPECT_EQ(domains(10, 4 * kib).at(0), 10);
        spread.keyGone(key);
        EXPECT_EQ(packed_, 0);
    }

    TEST_F(SmallSpread, aPeersKeyMayComeBeforeOurOwn) {
        own_ = bytes;
        makeAll(false);
        EXPECT_EQ(domains(100, 4 * kib).at(0), 1);
        spread.keyGone(key);
        spread.keyMade(endpoint, bytes.data(), key);
        spread.keyGone(key);
        EXPECT_EQ(packed_, 1) << "once is enough";
    }

    TEST_F(SmallSpread, aPeersKeyOfUnknownFormIsLeftAlone) {
        for (const bytes_t &own : {bytes_t{}, packed(four_nics, bytes_t(1000, 0))}) {
            own_ = own;
            makeAll(false);
            EXPECT_EQ(domains(10, 4 * kib).at(0), 10) << own.size();
            spread.keyGone(key);
        }
        EXPECT_EQ(packed_, 2);
    }

} // namespace
} // namespace nixlStripe
