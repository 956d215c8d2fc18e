// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The thread that looks at NICs: there while somebody asks, and what it sees of this process.
#include "loopback.h"
#include "recovery/nic_watch.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace nixlStripe {
namespace {

    std::size_t
    watchers() {
        const std::filesystem::directory_iterator tasks("/proc/self/task");
        return static_cast<std::size_t>(
            std::count_if(begin(tasks), end(tasks), [](const auto &task) {
                std::string name;
                std::ifstream(task.path() / "comm") >> name;
                return name == "nixl-stripe-nic";
            }));
    }

    /** A thread names itself when it runs, which may be later. */
    bool
    watchersBecome(std::size_t count) {
        for (int i = 0; i < 10'000 && watchers() != count; ++i) {
            ::usleep(1000);
        }
        return watchers() == count;
    }

} // namespace

TEST(NicWatch, isOneThreadWhileSomebodyAsks) {
    EXPECT_EQ(watchers(), 0U);
    auto first = std::make_unique<nicWatch>(std::vector<std::string>{"lo"});
    auto second = std::make_unique<nicWatch>(std::vector<std::string>{"lo"});
    EXPECT_TRUE(watchersBecome(1));
    first.reset();
    EXPECT_TRUE(watchersBecome(1));
    second.reset();
    EXPECT_EQ(watchers(), 0U);
    const nicWatch again({"lo"});
    EXPECT_TRUE(watchersBecome(1));
}

TEST(NicWatch, seesCarriersAndOwnConnectionsWhileTransfersAreUnderWay) {
    nicWatch watch({"lo", "no such"});
    const auto lost = watch.lost({"lo", "no such"});
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost.at("no such"), nicEvidence::no_carrier);
    const testing::loopback connection;
    EXPECT_TRUE(watch.ownConnections().empty()) << "nothing is under way";
    watch.addBusy(1);
    const tcpSockets_t own = watch.ownConnections();
    ASSERT_GE(own.size(), 1U);
    EXPECT_TRUE(std::any_of(own.begin(), own.end(), [](const auto &item) {
        return item.second.localAddress == "0100007F";
    }));
    for (const auto &item : own) {
        EXPECT_EQ(watch.connections().count(item.first), 1U);
    }
}

TEST(NicWatch, asksWhereAConnectionWas) {
    nicWatch watch({"lo"});
    const testing::loopback connection(16);
    watch.addBusy(1);
    EXPECT_FALSE(watch.ownConnections().empty()); // it was looked at
    const auto question = watch.ask({"lo", "no such"}, "");
    EXPECT_TRUE(question->isOver(pathProbe::patience));
    EXPECT_EQ(question->answers(),
              (peerQuestion::answers_t{{"lo", peerQuestion::answer_t::WELCOME}}));
    watch.addBusy(-1);
}

TEST(NicWatch, aForkedChildHasNoneAndMayEnd) {
    auto watch = std::make_unique<nicWatch>(std::vector<std::string>{"lo"});
    const pid_t child = ::fork();
    if (child == 0) {
        const bool is_alone = watchers() == 0;
        watch.reset(); // of the parent: nothing is waited for
        ::_exit(is_alone ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(watchersBecome(1));
}

} // namespace nixlStripe
