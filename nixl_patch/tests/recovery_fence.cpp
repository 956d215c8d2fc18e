// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// What was given up may still arrive: when a transfer that went again is complete; turns.
#include "resume_fixture.h"

namespace nixlStripe::testing {

using Fence = ResumeTest;

namespace {

    const tcpSocket under_way = {"here", 1, 5000, 0, 0, 7};

} // namespace

TEST_F(Fence, aTransferIsCompleteWhenNothingIsUnderWayAnyMore) {
    start();
    void *handle = prepare();
    seen->sockets["here-there"] = under_way;
    lose("n1");
    EXPECT_EQ(post(handle, "once"), abi::status_in_progress);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(check(handle), abi::status_in_progress);
    }
    EXPECT_EQ(target, source) << "all of it is there";
    EXPECT_EQ(world.reads, 0U);
    EXPECT_TRUE(world.notifications.empty());
    seen->sockets["here-there"].unacked = 0;
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(world.reads, peerLine::echoes);
    EXPECT_EQ(world.notifications, names_t{"once"});
    release(handle);
}

TEST_F(Fence, aConnectionThatIsGoneBringsNothing) {
    start();
    void *handle = prepare();
    seen->sockets["here-there"] = under_way;
    lose("n1");
    EXPECT_EQ(post(handle), abi::status_in_progress);
    seen->sockets.clear();
    EXPECT_EQ(wait(handle), abi::status_done);
    release(handle);
}

TEST_F(Fence, whatStaysUnderWayIsAnErrorAndHoldsTheNextOneBackBadFlow) {
    start();
    void *handle = prepare(abi::op_write, 4096);
    seen->sockets["here-there"] = under_way;
    lose("n1");
    EXPECT_EQ(post(handle, "never"), abi::status_in_progress);
    seen->clock += lateBytes::limit;
    EXPECT_EQ(wait(handle), abi::status_unknown_error);
    EXPECT_NE(said.back().find("may still arrive"), std::string::npos) << said.back();
    const std::size_t written = world.written;
    seen->clock += peerLine::look_interval;
    EXPECT_EQ(post(handle, "never"), abi::status_unknown_error);
    EXPECT_EQ(world.written, written) << "nothing is written before";
    EXPECT_TRUE(world.notifications.empty());
    seen->sockets.clear();
    seen->clock += peerLine::look_interval;
    EXPECT_EQ(post(handle, "now"), abi::status_done);
    EXPECT_EQ(world.notifications, names_t{"now"});
    release(handle);
}

TEST_F(Fence, withoutItsConnectionsAWriteIsNotResumedBadFlow) {
    start();
    void *handle = prepare();
    seen->sockets.clear();
    lose("n1");
    EXPECT_EQ(post(handle), abi::status_remote_disconnect);
    EXPECT_NE(said.back().find("its connections are not known"), std::string::npos);
    EXPECT_EQ(world.engines.size(), 1U);
    release(handle);
}

TEST_F(Fence, aNicThatIsLostInTheFenceIsLeftOutToo) {
    start();
    void *handle = prepare(abi::op_write, 4096);
    seen->sockets["here-there"] = under_way;
    lose("n1");
    EXPECT_EQ(post(handle), abi::status_in_progress);
    lose("n0");
    seen->sockets["here-there"].unacked = 0;
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(world.engines.back(), (names_t{"n2", "n3"}));
    EXPECT_EQ(world.reads, peerLine::echoes);
    release(handle);
}

TEST_F(Fence, transfersToAPeerTakeTurns) {
    start();
    world.looks = 5;
    void *first = prepare(abi::op_write, 4096);
    void *second = prepare(abi::op_write, 8192);
    void *third = prepare(abi::op_write, 4096);
    EXPECT_EQ(post(first), abi::status_in_progress);
    EXPECT_EQ(post(second), abi::status_in_progress);
    EXPECT_EQ(post(third), abi::status_in_progress);
    EXPECT_EQ(post(third), abi::status_repost_active);
    EXPECT_EQ(world.underWay, 1U);
    EXPECT_EQ(wait(third), abi::status_done) << "looking at the last takes the others through";
    EXPECT_EQ(check(first), abi::status_done);
    EXPECT_EQ(check(second), abi::status_done);
    EXPECT_EQ(world.mostUnderWay, 1U);
    for (void *handle : {first, second, third}) {
        release(handle);
    }
}

TEST_F(Fence, oneThatIsReleasedMakesRoom) {
    start();
    world.looks = 1000;
    void *first = prepare();
    void *second = prepare(abi::op_write, 4096);
    void *third = prepare(abi::op_write, 4096);
    EXPECT_EQ(post(first), abi::status_in_progress);
    EXPECT_EQ(post(second), abi::status_in_progress);
    world.looks = 1;
    EXPECT_EQ(post(third), abi::status_in_progress);
    release(second);
    release(first);
    EXPECT_EQ(wait(third), abi::status_done);
    EXPECT_EQ(world.posts, 2U) << "the second was never posted";
    release(third);
}

TEST_F(Fence, anEngineThatIsUnknownStaysAsItIsBadFlow) {
    const auto refused = [this](const std::string &reason) {
        void **before = engine.table;
        try {
            resumeWish wish;
            wish.engine = &engine;
            wish.nics = engine.nics;
            resumeEngine made(std::move(wish), symbols, std::make_unique<fakeWitness>(seen));
            ADD_FAILURE() << "taken: " << reason;
        } catch (const std::runtime_error &problem) {
            EXPECT_NE(std::string(problem.what()).find(reason), std::string::npos)
                << problem.what();
        }
        EXPECT_EQ(engine.table, before);
        symbols = fakeSymbols();
    };
    symbols.className = "_ZTV23nixlUcxThreadPoolEngine";
    refused("num_threads");
    symbols.className = "";
    refused("the engine's class is unknown");
    for (const auto &item : fakeSymbols::exported()) {
        symbols.functions.erase(item.first);
        refused("the engine's table has no exported");
    }
    symbols.functions["_ZN13nixlUcxEngine8unloadMDEP13nixlBackendMD"] = engine.table[0];
    std::vector<void *> &words = fakeEngine::words();
    words.push_back(words[2]);
    refused("stands in the engine's table twice");
    words.pop_back();
    engine.nics = {"n0"};
    world.engines = {engine.nics};
    refused("with one NIC there is none to go on over");
}

TEST_F(Fence, theEnginesOwnFunctionsAreBackAfterwards) {
    void **before = engine.table;
    start();
    EXPECT_NE(engine.table, before);
    EXPECT_EQ(engine.table[0], before[0]) << "a slot that is not known";
    EXPECT_EQ(engine.table[-1], before[-1]) << "the type";
    TearDown();
    EXPECT_EQ(engine.table, before);
    world.metadata.clear();
}

} // namespace nixlStripe::testing
