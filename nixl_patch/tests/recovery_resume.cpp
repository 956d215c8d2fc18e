// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// A NIC is lost in a transfer: what goes again and by which engine, what is an error and whose.
#include "resume_fixture.h"

#include <thread>

namespace nixlStripe::testing {

using Resume = ResumeTest;

TEST_F(Resume, withNothingLostTheFirstEngineBringsAll) {
    start();
    world.looks = 3;
    void *handle = prepare();
    EXPECT_EQ(post(handle, "all there"), abi::status_in_progress);
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(target, source);
    EXPECT_EQ(world.notifications, names_t{"all there"});
    EXPECT_EQ(world.reads, 0U) << "nothing is to be fenced";
    EXPECT_EQ(world.mostUnderWay, 1U);
    EXPECT_EQ(world.posts, 3U) << "12 MiB in pieces of 4";
    EXPECT_EQ(losses->totals().resumes, 0U);
    release(handle);
    EXPECT_TRUE(said.empty());
}

TEST_F(Resume, aSmallTransferIsNixlsOwnHandle) {
    start();
    void *handle = prepare(abi::op_write, 4096);
    const std::size_t handles = world.handles.size();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(post(handle), abi::status_done);
    }
    EXPECT_EQ(world.handles.size(), handles);
    EXPECT_EQ(world.written, 3U * 4096);
    release(handle);
}

TEST_F(Resume, aLostNicIsLeftOutAndOnlyTheRestGoesAgain) {
    start();
    world.looks = 2;
    void *handle = prepare();
    EXPECT_EQ(post(handle, "once"), abi::status_in_progress);
    while (world.posts < 2) { // the first piece has arrived
        EXPECT_EQ(check(handle), abi::status_in_progress);
    }
    lose("n1");
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(target, source);
    EXPECT_EQ(world.written, 12 * mib) << "what has arrived is not sent twice";
    EXPECT_EQ(world.notifications, names_t{"once"});
    EXPECT_EQ(world.reads, peerLine::echoes);
    EXPECT_EQ(world.engines, (std::vector<names_t>{{"n0", "n1", "n2", "n3"}, {"n0", "n2", "n3"}}));
    EXPECT_EQ(losses->totals().resumes, 1U);
    EXPECT_EQ(losses->totals().nics["n1"].lost, 1U);
    EXPECT_EQ(losses->totals().nics["n0"].lost, 0U);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0],
              "lost n1 (nothing that was sent over it was answered); the transfer with 'you' goes "
              "on over n0, n2, n3");
    release(handle);
    void *next = prepare(abi::op_write, 4096);
    EXPECT_EQ(post(next, "and again"), abi::status_in_progress);
    EXPECT_EQ(wait(next), abi::status_done) << "by the spare";
    EXPECT_EQ(world.reads, peerLine::echoes) << "nothing new is to be fenced";
    release(next);
    EXPECT_EQ(virtualOf<abi::names_t>("genNotif")(&engine, "you", "alone"), abi::status_done);
    EXPECT_EQ(world.notifications, (names_t{"once", "and again", "alone"}));
}

TEST_F(Resume, aReadHasNothingToFence) {
    start();
    std::swap(source, target);
    void *handle = nullptr;
    EXPECT_EQ(virtualOf<abi::transfer_t>("prepXfer")(&engine,
                                                     abi::op_read,
                                                     list(target, source_metadata, 12 * mib),
                                                     list(source, target_metadata, 12 * mib),
                                                     "you",
                                                     handle,
                                                     nullptr),
              0);
    std::swap(source, target);
    lose("n0");
    release(handle);
    handle = prepare(abi::op_read);
    EXPECT_EQ(post(handle, "read", abi::op_read), abi::status_done);
    EXPECT_EQ(target, source);
    EXPECT_EQ(world.reads, 0U);
    EXPECT_EQ(world.notifications, names_t{"read"});
    release(handle);
}

TEST_F(Resume, twoAreLostOneAfterTheOtherAndSparesDoNotPileUp) {
    start();
    world.looks = 2;
    void *handle = prepare();
    EXPECT_EQ(post(handle), abi::status_in_progress);
    lose("n1");
    EXPECT_EQ(check(handle), abi::status_in_progress);
    lose("n3", nicEvidence::no_carrier);
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(target, source);
    EXPECT_EQ(world.engines, (std::vector<names_t>{{"n0", "n1", "n2", "n3"}, {"n0", "n2"}}));
    EXPECT_EQ(losses->totals().resumes, 2U);
    release(handle);
}

TEST_F(Resume, aNicThatIsBackCarriesItsPartAgain) {
    start();
    void *handle = prepare(abi::op_write, 4096);
    lose("n2", nicEvidence::no_carrier);
    EXPECT_EQ(post(handle), abi::status_in_progress);
    EXPECT_EQ(wait(handle), abi::status_done);
    seen->clock += std::chrono::seconds(2);
    EXPECT_EQ(post(handle), abi::status_done);
    EXPECT_EQ(world.engines.back(), (names_t{"n0", "n1", "n3"})) << "it has no carrier yet";
    world.dead.clear();
    seen->lost.clear();
    seen->clock += std::chrono::seconds(2);
    EXPECT_EQ(post(handle), abi::status_done);
    EXPECT_EQ(world.engines, (std::vector<names_t>(2, {"n0", "n1", "n2", "n3"})));
    EXPECT_EQ(said.back(), "back: n2; transfers with 'you' go over n0, n1, n2, n3");
    release(handle);
}

TEST_F(Resume, withoutEvidenceTheErrorIsTheCallersBadFlow) {
    start();
    void *handle = prepare();
    lose("n1", "");
    seen->isPeerGone = true;
    EXPECT_EQ(post(handle, "never"), abi::status_remote_disconnect);
    EXPECT_EQ(check(handle), abi::status_remote_disconnect);
    EXPECT_EQ(world.engines.size(), 1U);
    EXPECT_EQ(losses->totals().resumes, 0U);
    EXPECT_TRUE(world.notifications.empty());
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said[0].find("nothing speaks against a NIC"), std::string::npos);
    world.dead.clear();
    EXPECT_EQ(post(handle), abi::status_done) << "the handle can be posted again";
    release(handle);
}

TEST_F(Resume, anErrorThatNoNicMakesIsTheCallersBadFlow) {
    start();
    void *handle = prepare();
    lose("n1");
    world.error = -6; // NIXL_ERR_NOT_ALLOWED
    EXPECT_EQ(post(handle), -6);
    EXPECT_EQ(world.engines.size(), 1U);
    release(handle);
}

TEST_F(Resume, withEveryNicLostTheErrorIsTheCallersBadFlow) {
    start();
    void *handle = prepare();
    for (const std::string &nic : engine.nics) {
        lose(nic);
    }
    EXPECT_EQ(post(handle), abi::status_remote_disconnect);
    EXPECT_EQ(world.engines.size(), 1U);
    EXPECT_EQ(said.at(0).rfind("every NIC to 'you' is lost: n0", 0), 0U) << said[0];
    release(handle);
}

TEST_F(Resume, aSpareThatCannotBeMadeIsNoHangBadFlow) {
    int kind = 0;
    static std::vector<void *> other = fakeEngine::words();
    maker.make = [&](const names_t &nics) -> void * {
        if (kind == 0) {
            throw std::runtime_error("no memory for it");
        }
        return kind == 1 ? nullptr : new fakeEngine(nics, other);
    };
    start();
    lose("n1");
    void *handle = prepare();
    for (const char *reason :
         {"no memory for it", "the stock plugin makes none", "of another class"}) {
        static_cast<void>(post(handle));
        EXPECT_EQ(wait(handle), abi::status_remote_disconnect);
        EXPECT_NE(said.back().find(reason), std::string::npos) << said.back();
        ++kind;
    }
    EXPECT_EQ(world.engines.size(), 1U);
    release(handle);
}

TEST_F(Resume, aNicThatWasIdleShowsOnlyThenThatItIsLostToo) {
    void *handle = underWay();
    lose("n0");
    world.unreachable = {"n2"};
    world.onUnreachable = [this](const std::string &nic) { lose(nic); };
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(world.engines.back(), (names_t{"n1", "n3"}));
    EXPECT_EQ(said.size(), 2U);
    release(handle);
}

TEST_F(Resume, aPeerThatCannotBeMetAgainIsNoHangBadFlow) {
    void *handle = underWay();
    lose("n0");
    world.unreachable = {"n2"};
    world.onUnreachable = [](const std::string &) {};
    EXPECT_EQ(wait(handle), abi::status_remote_disconnect);
    EXPECT_EQ(world.engines.size(), 1U);
    release(handle);
}

TEST_F(Resume, noLockIsHeldWhileASpareIsMade) {
    void *handle = nullptr;
    void *waiting = nullptr;
    const auto make = maker.make;
    int status = 0;
    maker.make = [&](const names_t &nics) {
        std::thread([&] { status = check(waiting); }).join();
        return make(nics);
    };
    start();
    handle = prepare();
    waiting = prepare(abi::op_write, 4096);
    world.looks = 1;
    EXPECT_EQ(post(handle), abi::status_in_progress);
    EXPECT_EQ(post(waiting), abi::status_in_progress);
    lose("n1");
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(status, abi::status_in_progress);
    EXPECT_EQ(wait(waiting), abi::status_done);
    release(handle);
    release(waiting);
}

TEST_F(Resume, aTransferThatIsReleasedWhileASpareIsMadeIsGone) {
    void *handle = nullptr;
    const auto make = maker.make;
    maker.make = [&](const names_t &nics) {
        std::thread([&] { release(handle); }).join();
        return make(nics);
    };
    start();
    handle = prepare();
    world.looks = 1;
    EXPECT_EQ(post(handle, "never"), abi::status_in_progress);
    lose("n1");
    EXPECT_EQ(check(handle), abi::status_canceled);
    EXPECT_TRUE(world.notifications.empty());
    void *next = prepare(abi::op_write, 4096);
    EXPECT_EQ(post(next), abi::status_in_progress) << "what was given up may still come";
    EXPECT_EQ(wait(next), abi::status_done);
    release(next);
}

TEST_F(Resume, memoryThatIsForgottenIsForgottenByTheSpareToo) {
    void *handle = resumedWithout("n1");
    const std::size_t before = world.metadata.size();
    release(handle);
    EXPECT_EQ(virtualOf<abi::one_t>("deregisterMem")(&engine, source_metadata), 0);
    EXPECT_EQ(virtualOf<abi::one_t>("unloadMD")(&engine, target_metadata), 0);
    EXPECT_EQ(world.metadata.size(), before - 4);
}

TEST_F(Resume, aPeerThatIsMetAgainBeginsOnTheFirstEngine) {
    void *handle = resumedWithout("n1");
    release(handle);
    EXPECT_EQ(virtualOf<abi::name_t>("disconnect")(&engine, "you"), 0);
    EXPECT_EQ(world.engines.size(), 1U) << "its spare is gone";
    world.dead.clear();
    seen->lost.clear();
    meet("you");
    handle = prepare(abi::op_write, 4096);
    EXPECT_EQ(post(handle), abi::status_done);
    release(handle);
}

TEST_F(Resume, whatDoesNotFitIsTheStockEnginesAloneBadFlow) {
    start();
    void *handle = nullptr;
    abi::metaList local = list(source, source_metadata, 4096);
    local.items[0].address += source.size(); // behind what was registered
    EXPECT_EQ(virtualOf<abi::transfer_t>("prepXfer")(&engine,
                                                     abi::op_read,
                                                     local,
                                                     list(target, target_metadata, 4096),
                                                     "you",
                                                     handle,
                                                     nullptr),
              0);
    lose("n1");
    EXPECT_EQ(post(handle), abi::status_remote_disconnect);
    EXPECT_EQ(world.engines.size(), 1U);
    EXPECT_TRUE(said.empty());
    release(handle);
}

TEST_F(Resume, severalPeersShareASpareAndThreadsMayMeet) {
    start();
    constexpr int peers = 4;
    std::vector<void *> metadata(peers);
    std::vector<std::vector<unsigned char>> memory(peers, std::vector<unsigned char>(64 * 1024));
    std::vector<std::thread> threads;
    world.looks = 1;
    for (int i = 0; i < peers; ++i) {
        const std::string peer = "peer " + std::to_string(i);
        meet(peer);
        const int dram = abi::memory_dram;
        ASSERT_EQ(virtualOf<abi::loadRemote_t>("loadRemoteMD")(
                      &engine, blob(memory[i], "key"), dram, peer, metadata[i]),
                  0);
    }
    for (int i = 0; i < peers; ++i) {
        threads.emplace_back([&, i] {
            const std::string peer = "peer " + std::to_string(i);
            for (int turn = 0; turn < 50; ++turn) {
                if (i == 0 && turn == 20) {
                    const std::lock_guard<std::recursive_mutex> lock(world.mutex);
                    const std::lock_guard<std::mutex> also(seen->mutex);
                    lose("n3");
                }
                const abi::metaList local = list(source, source_metadata, 64 * 1024);
                const abi::metaList remote = list(memory[i], metadata[i], 64 * 1024);
                void *handle = nullptr;
                EXPECT_EQ(virtualOf<abi::transfer_t>("prepXfer")(
                              &engine, abi::op_write, local, remote, peer, handle, nullptr),
                          0);
                EXPECT_GE(virtualOf<abi::transfer_t>("postXfer")(
                              &engine, abi::op_write, local, remote, peer, handle, nullptr),
                          0);
                EXPECT_EQ(wait(handle), abi::status_done);
                release(handle);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (int i = 0; i < peers; ++i) {
        EXPECT_TRUE(std::equal(memory[i].begin(), memory[i].end(), source.begin()));
        virtualOf<abi::one_t>("unloadMD")(&engine, metadata[i]);
    }
    EXPECT_LE(world.engines.size(), 1U + peers);
}

} // namespace nixlStripe::testing
