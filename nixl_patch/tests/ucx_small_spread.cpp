// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Which key a small operation gets. The keys are UCX's form; UCX itself is not needed to choose.
#include "path_fixture.h"

namespace nixlStripe::testing {
namespace {

    using domains_t = std::map<std::uint64_t, int>;

    constexpr std::uint64_t domain_63 = std::uint64_t{1} << 63;

    class SmallSpread : public PathTest {};

    TEST_F(SmallSpread, aBatchTakesTurns) {
        makeAll();
        const domains_t even = {{0, 1}, {1 << 5, 24}, {1 << 6, 25}, {1 << 7, 25}, {domain_63, 25}};
        EXPECT_EQ(domains(100, 4 * kib), even);
        flush();
        EXPECT_EQ(domains(100, 4 * kib), even) << "the next batch is even by itself";
        EXPECT_EQ(book.alive.size(), 4U) << "one key for each lane, made once";
        path.keyGone(key);
        EXPECT_TRUE(book.alive.empty());
    }

    TEST_F(SmallSpread, readsTakeTurnsToo) {
        makeAll();
        const requestParams params;
        for (int i = 0; i < 9; ++i) {
            path.get(endpoint, nullptr, 4 * kib, 0, key, &params);
        }
        EXPECT_EQ(book.posted.front().first, key);
        EXPECT_EQ(book.alive.size(), 4U);
        path.keyGone(key);
    }

    TEST_F(SmallSpread, largeAndLoneBuffersKeepTheirKey) {
        makeAll();
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(domains(1, 4 * kib), (domains_t{{0, 1}}));
            flush();
        }
        EXPECT_EQ(domains(3, kib * kib), (domains_t{{0, 3}}));
        EXPECT_EQ(domains(3, 48 * kib), (domains_t{{0, 3}}));
        EXPECT_TRUE(book.alive.empty());
        path.keyGone(key);
    }

    TEST_F(SmallSpread, aLoneBufferThatFewerLanesShareEvenlyGetsThose) {
        makeAll();
        EXPECT_EQ(post(16 * kib), 1U << 5 | 1U << 6);
        flush();
        EXPECT_EQ(post(32 * kib), 1U << 5 | 1U << 6 | 1U << 7);
        flush();
        EXPECT_EQ(post(16 * kib), 1U << 5 | 1U << 6);
        EXPECT_EQ(book.alive.size(), 2U);
        path.keyGone(key);
        EXPECT_TRUE(book.alive.empty());
    }

    TEST_F(SmallSpread, requestsOfOneBufferInFlightTakeTurns) {
        makeAll();
        book.completesLater = true;
        domains_t found;
        for (int i = 0; i < 65; ++i) {
            ++found[post(16 * kib)];
            flush();
        }
        EXPECT_EQ(found[1U << 5 | 1U << 6], 1) << "the first one found nothing under way";
        for (const std::uint64_t lane :
             {std::uint64_t{1} << 5, std::uint64_t{1} << 6, std::uint64_t{1} << 7, domain_63}) {
            EXPECT_NEAR(found[lane], 16, 1) << lane;
        }
        book.complete();
        EXPECT_EQ(post(4 * kib), 0U) << "alone again";
        path.keyGone(key);
        EXPECT_TRUE(book.alive.empty());
    }

    TEST_F(SmallSpread, flushesOfWhoeverWantsToBeCalledAreComplete) {
        makeAll();
        book.completesLater = true;
        requestParams own;
        own.fields = requestParams::has_callback;
        own.callback = [](void *, ucsStatus_t, void *) {};
        for (int i = 0; i < 4; ++i) {
            EXPECT_EQ(post(4 * kib), 0U);
            path.flush(endpoint, &own);
            EXPECT_EQ(book.flushes.rbegin()->second.callback, own.callback);
        }
        path.keyGone(key);
    }

    TEST_F(SmallSpread, onlyLanesThatReachTheMemoryAreUsed) {
        bytes = packed({{5, fourNics().at(5)}, {7, fourNics().at(7)}, {9, {1}}});
        makeAll();
        EXPECT_EQ(domains(101, 4 * kib), (domains_t{{0, 1}, {1 << 5, 50}, {1 << 7, 50}}));
        path.keyGone(key);
        EXPECT_TRUE(book.alive.empty());
    }

    TEST_F(SmallSpread, lanesToOneDomainCountOnce) {
        book.lanes = {{5, "a:1"}, {5, "b:1"}, {6, "a:1"}, {6, "b:1"}};
        makeAll();
        EXPECT_EQ(domains(101, 4 * kib), (domains_t{{0, 1}, {1 << 5, 50}, {1 << 6, 50}}));
        path.keyGone(key);
    }

    TEST_F(SmallSpread, thirtyTwoNicsTakeTurns) {
        std::map<unsigned, bytes_t> nics;
        book.lanes.clear();
        for (unsigned nic = 0; nic < 32; ++nic) {
            nics[nic + 2] = {1, 2, 3, 4};
            book.lanes.push_back({nic + 2, "mlx5_" + std::to_string(nic) + ":1"});
        }
        bytes = packed(nics);
        makeAll();
        const domains_t found = domains(32 * 10 + 1, 4 * kib);
        EXPECT_EQ(found.size(), 33U);
        for (unsigned nic = 1; nic < 32; ++nic) {
            EXPECT_EQ(found.at(std::uint64_t{1} << (nic + 2)), 10) << nic;
        }
        path.keyGone(key);
        EXPECT_TRUE(said.empty());
    }

    TEST_F(SmallSpread, nothingIsSpreadOverOneLane) {
        book.lanes = {{5, "a:1"}};
        makeAll();
        EXPECT_EQ(domains(10, 4 * kib), (domains_t{{0, 10}}));
        path.keyGone(key);
        EXPECT_TRUE(book.alive.empty());
    }

    TEST_F(SmallSpread, ucxsRefusalLeavesTheWholeKeyAndIsSaid) {
        book.refusesFrom = 0;
        makeAll();
        EXPECT_EQ(domains(10, 4 * kib), (domains_t{{0, 10}}));
        ASSERT_FALSE(said.empty());
        EXPECT_NE(said.front().find("refuses"), std::string::npos) << said.front();
        path.keyGone(key);
    }

    TEST_F(SmallSpread, aFullWorkerLeavesTheRestToUcxAndSaysSo) {
        makeAll();
        // Keys on so many devices that nothing is left of the worker's room.
        for (std::uint8_t device = 0; device < 120; ++device) {
            const bytes_t on_device = packed(fourNics(), {device});
            path.keyMade(endpoint, on_device.data(), handle(40));
        }
        EXPECT_EQ(domains(10, 4 * kib), (domains_t{{0, 10}}));
        ASSERT_FALSE(said.empty());
        EXPECT_NE(said.front().find("128 kinds of keys"), std::string::npos) << said.front();
        path.keyGone(key);
        path.keyGone(handle(40));
    }

    TEST_F(SmallSpread, aNewerUcxHasRoomForManyMoreKeys) {
        key_configurations = keyBudget::of_ucx_1_21;
        makeAll();
        for (std::uint8_t device = 0; device < 120; ++device) {
            const bytes_t on_device = packed(fourNics(), {device});
            path.keyMade(endpoint, on_device.data(), handle(40));
        }
        EXPECT_GT(domains(10, 4 * kib).size(), 1U);
        EXPECT_TRUE(said.empty());
        path.keyGone(key);
        path.keyGone(handle(40));
    }

    TEST_F(SmallSpread, whatIsNotWatchedIsLeftAlone) {
        makeHandles();
        EXPECT_EQ(domains(10, 4 * kib), (domains_t{{0, 10}}));
        path.keyGone(key);
        makeAll();
        EXPECT_EQ(post(4 * kib, handle(9)), 0U) << "another endpoint";
        EXPECT_EQ(post(4 * kib, endpoint, handle(9)), 0U) << "another key";
        path.keyGone(key);
    }

    TEST_F(SmallSpread, whatCountsElementsIsLeftAlone) {
        makeAll();
        requestParams params;
        params.fields = requestParams::has_datatype;
        for (int i = 0; i < 8; ++i) {
            path.put(endpoint, nullptr, 4, 0, key, &params);
            EXPECT_EQ(book.posted.back().first, key);
        }
        path.keyGone(key);
    }

    TEST_F(SmallSpread, keysOfAnotherFormEndItForTheirContext) {
        const bytes_t strange = packed(fourNics(), bytes_t(1000, 0));
        openSpread();
        path.keyPacked(context, strange.data(), strange.size());
        path.keyPacked(context, strange.data(), strange.size());
        path.keyPacked(context, bytes.data(), bytes.size());
        makeHandles();
        EXPECT_EQ(domains(10, 4 * kib), (domains_t{{0, 10}}));
        path.keyGone(key);
        EXPECT_EQ(own_asked, 0);
        ASSERT_EQ(said.size(), 1U) << "said once";
        EXPECT_NE(said.front().find("unknown form"), std::string::npos) << said.front();
    }

    /** Whatever keys another context has, and whichever comes first. */
    TEST_F(SmallSpread, anotherContextsKeysDoNotMatter) {
        void *const other = handle(20);
        const bytes_t strange = packed(fourNics(), bytes_t(1000, 0));
        const bytes_t tcp = packed({});
        for (const bool other_first : {true, false}) {
            if (other_first) {
                path.keyPacked(other, strange.data(), strange.size());
                path.keyPacked(other, tcp.data(), tcp.size());
                operationPath::stages_t stages;
                stages.push_back(spreadStage());
                path.openContext(other, std::move(stages));
                path.keyPacked(other, strange.data(), strange.size());
            }
            makeAll();
            if (!other_first) {
                path.keyPacked(other, strange.data(), strange.size());
                path.keyPacked(other, tcp.data(), tcp.size());
            }
            EXPECT_EQ(domains(101, 4 * kib).at(0), 1) << other_first;
            path.keyGone(key);
            path.workerGone(worker);
            EXPECT_TRUE(path.closeContext(context));
            path.closeContext(other);
        }
    }

    TEST_F(SmallSpread, keysWithoutAnyNicSayNothing) {
        const bytes_t tcp = packed({}, {});
        openSpread();
        path.keyPacked(context, tcp.data(), tcp.size());
        EXPECT_TRUE(said.empty());
        path.keyPacked(context, bytes.data(), bytes.size());
        makeHandles();
        EXPECT_EQ(domains(101, 4 * kib).at(0), 1);
        path.keyGone(key);
    }

    TEST_F(SmallSpread, aPeersKeyMayComeBeforeOurOwn) {
        own_key = bytes;
        makeAll(false);
        EXPECT_EQ(domains(100, 4 * kib).at(0), 1);
        path.keyGone(key);
        path.keyMade(endpoint, bytes.data(), key);
        path.keyGone(key);
        EXPECT_EQ(own_asked, 1) << "once is enough";
    }

    TEST_F(SmallSpread, aPeersKeyOfUnknownFormIsLeftAlone) {
        for (const bytes_t &own : {bytes_t{}, packed(fourNics(), bytes_t(1000, 0))}) {
            own_key = own;
            makeAll(false);
            EXPECT_EQ(domains(10, 4 * kib), (domains_t{{0, 10}})) << own.size();
            path.keyGone(key);
            path.workerGone(worker);
            path.closeContext(context);
        }
        EXPECT_EQ(own_asked, 2);
        EXPECT_EQ(said.size(), 1U);
    }

} // namespace
} // namespace nixlStripe::testing
