// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The thread that looks at NICs: there while somebody asks, and what it sees of this process.
#include "recovery/nic_watch.h"
#include "topology/descriptor.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
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

    /** A connection of this process with itself. */
    class loopback {
    public:
        loopback()
            : listens_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
            , connects_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            auto *any = reinterpret_cast<sockaddr *>(&address);
            socklen_t size = sizeof address;
            EXPECT_EQ(::bind(listens_.get(), any, size), 0);
            EXPECT_EQ(::listen(listens_.get(), 1), 0);
            EXPECT_EQ(::getsockname(listens_.get(), any, &size), 0);
            EXPECT_EQ(::connect(connects_.get(), any, size), 0);
        }

    private:
        const descriptor listens_;
        const descriptor connects_;
    };

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
    const loopback connection;
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
