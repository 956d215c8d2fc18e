// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// A peer is asked over NICs: which are lost though nothing was seen of it, and which are back.
#include "resume_fixture.h"

#include <thread>

namespace nixlStripe::testing {

using Asking = ResumeTest;

TEST_F(Asking, aNicOverWhichNobodyAnswersIsNotTriedBadFlow) {
    void *handle = resumedWithout("n2");
    seen->lost.clear(); // what was seen is forgotten, the NIC is as dead as before
    seen->mute = {"n2"};
    unsigned tries = 0;
    world.unreachable = {"n2"};
    world.onUnreachable = [&tries](const std::string &) { ++tries; };
    const unsigned before = seen->questions;
    for (int second = 0; second < 75; ++second) {
        seen->clock += std::chrono::seconds(1);
        EXPECT_EQ(post(handle), abi::status_done) << "by the spare as before";
    }
    EXPECT_EQ(tries, 0U);
    EXPECT_GE(seen->questions - before, 37U);
    EXPECT_EQ(world.engines.back(), (names_t{"n0", "n1", "n3"}));
    release(handle);
}

TEST_F(Asking, aSilentNicIsTakenBackWhenThePeerAnswersOverIt) {
    void *handle = resumedWithout("n2");
    seen->lost.clear();
    world.dead.clear();
    seen->late = 3;
    seen->clock += std::chrono::seconds(1);
    for (int look = 0; look < 2; ++look) {
        EXPECT_EQ(post(handle), abi::status_done) << "nobody waits for the answer";
        EXPECT_EQ(world.engines.back(), (names_t{"n0", "n1", "n3"}));
        EXPECT_EQ(losses->totals().nics["n2"].back, 0U);
    }
    EXPECT_EQ(post(handle), abi::status_done);
    EXPECT_EQ(losses->totals().nics["n2"].back, 1U);
    EXPECT_EQ(world.engines.back(), (names_t{"n0", "n1", "n2", "n3"}));
    EXPECT_EQ(said.back(), "back: n2; transfers with 'you' go over n0, n1, n2, n3");
    release(handle);
}

TEST_F(Asking, aNicOverWhichNobodyCanBeAskedIsTriedLessAndLessOftenBadFlow) {
    void *handle = resumedWithout("n2");
    seen->lost.clear();
    seen->unknown = {"n2"};
    unsigned tries = 0;
    world.unreachable = {"n2"};
    world.onUnreachable = [&tries](const std::string &) { ++tries; };
    for (int second = 0; second < 75; ++second) {
        seen->clock += std::chrono::seconds(1);
        EXPECT_EQ(post(handle), abi::status_done) << "by the spare as before";
    }
    EXPECT_EQ(tries, 4U) << "after 1, 11, 31 and 71 seconds";
    EXPECT_EQ(world.engines.back(), (names_t{"n0", "n1", "n3"}));
    release(handle);
}

TEST_F(Asking, whatWasNotSeenIsAsked) {
    void *handle = underWay();
    lose("n1", "");
    seen->mute = {"n1", "n3"};
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(target, source);
    EXPECT_EQ(world.engines.back(), (names_t{"n0", "n2"}));
    EXPECT_EQ(said.at(0),
              "lost n1 (the peer does not answer over it), n3 (the peer does not answer over it); "
              "the transfer with 'you' goes on over n0, n2");
    release(handle);
}

TEST_F(Asking, whereThePeerIsThereOverEveryNicATransferGoesOnOverAll) {
    void *handle = underWay();
    lose("n1", ""); // for a moment: it is back when somebody looks
    maker.make = [](const names_t &nics) -> void * { return new fakeEngine(nics); };
    seen->onQuestion = [this] { world.dead.clear(); };
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(target, source);
    EXPECT_EQ(world.engines, (std::vector<names_t>(2, {"n0", "n1", "n2", "n3"})));
    EXPECT_EQ(said,
              (names_t{"a transfer with 'you' failed, and the peer is there: it goes on "
                       "over n0, n1, n2, n3"}));
    EXPECT_EQ(losses->totals().resumes, 1U);
    EXPECT_EQ(losses->totals().nics["n1"].lost, 0U) << "it is not lost";
    // And once more, by another engine than the one that failed now.
    lose("n0", "");
    void *next = prepare(abi::op_write, 4096);
    static_cast<void>(post(next));
    EXPECT_EQ(wait(next), abi::status_done);
    EXPECT_EQ(world.engines.size(), 2U);
    EXPECT_EQ(losses->totals().resumes, 2U);
    release(handle);
    release(next);
}

TEST_F(Asking, whatFailsAgainAndAgainIsTheCallersErrorBadFlow) {
    void *handle = underWay();
    lose("n1", "");
    EXPECT_EQ(wait(handle), abi::status_remote_disconnect);
    EXPECT_EQ(losses->totals().resumes, 4U) << "as often as there are NICs";
    release(handle);
}

TEST_F(Asking, aPeerThatTakesConnectionsIsMetAtTheNextTry) {
    void *handle = underWay();
    lose("n0");
    unsigned tries = 0;
    world.unreachable = {"n2"};
    world.onUnreachable = [&](const std::string &) {
        if (++tries == peerLine::most_tries - 1) {
            world.unreachable.clear();
        }
    };
    EXPECT_EQ(wait(handle), abi::status_done);
    EXPECT_EQ(tries, peerLine::most_tries - 1);
    EXPECT_EQ(world.engines.back(), (names_t{"n1", "n2", "n3"}));
    release(handle);
}

TEST_F(Asking, aPeerOfWhichNothingIsKnownIsTriedAgainBadFlow) {
    void *handle = underWay();
    lose("n0");
    seen->unknown = {"n1", "n2", "n3"};
    unsigned tries = 0;
    world.unreachable = {"n2"};
    world.onUnreachable = [&tries](const std::string &) { ++tries; };
    EXPECT_EQ(wait(handle), abi::status_remote_disconnect);
    EXPECT_EQ(tries, peerLine::most_tries);
    release(handle);
}

TEST_F(Asking, aPeerThatIsGoneIsNotTriedAgainBadFlow) {
    void *handle = underWay();
    lose("n0");
    seen->isPeerGone = true;
    unsigned tries = 0;
    world.unreachable = {"n2"};
    world.onUnreachable = [&tries](const std::string &) { ++tries; };
    EXPECT_EQ(wait(handle), abi::status_remote_disconnect);
    EXPECT_EQ(tries, 1U);
    release(handle);
}

TEST_F(Asking, aPeerThatAnswersOverNoNicIsTheCallersErrorBadFlow) {
    void *handle = underWay();
    lose("n1", "");
    seen->mute = {"n0", "n1", "n2", "n3"};
    EXPECT_EQ(wait(handle), abi::status_remote_disconnect);
    EXPECT_EQ(world.engines.size(), 1U);
    EXPECT_NE(said.at(0).find("nothing speaks against a NIC"), std::string::npos);
    release(handle);
}

TEST_F(Asking, aTransferThatIsReleasedWhileThePeerIsAskedIsGoneBadFlow) {
    void *handle = underWay();
    lose("n1", "");
    seen->onQuestion = [&] { std::thread([&] { release(handle); }).join(); };
    EXPECT_EQ(check(handle), abi::status_canceled);
    EXPECT_EQ(world.engines.size(), 1U);
    EXPECT_EQ(seen->questions, 1U);
}

} // namespace nixlStripe::testing
