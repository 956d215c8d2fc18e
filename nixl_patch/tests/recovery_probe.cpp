// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Asking a peer over each NIC, with real sockets; connections that are ended.
#include "loopback.h"
#include "recovery/path_probe.h"
#include "recovery/socket_address.h"
#include "recovery/tcp_sockets.h"

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

namespace nixlStripe::testing {
namespace {

    using namespace std::chrono_literals;
    using answers_t = peerQuestion::answers_t;
    constexpr auto none = peerQuestion::answer_t::NONE;
    constexpr auto refusal = peerQuestion::answer_t::REFUSAL;
    constexpr auto welcome = peerQuestion::answer_t::WELCOME;

    std::uint64_t
    inodeOf(int number) {
        struct stat found = {};
        EXPECT_EQ(::fstat(number, &found), 0);
        return found.st_ino;
    }

    bool
    isAlive(int connected) {
        return ::send(connected, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
    }

} // namespace

TEST(PathProbe, whoeverLivesAnswersBeItWithARefusal) {
    const loopback peer(16);
    std::string refused;
    {
        const loopback gone;
        refused = gone.ends();
    }
    pathProbe probe({{"n0", peer.ends()}, {"n1", refused}});
    EXPECT_TRUE(probe.isOver(pathProbe::patience));
    EXPECT_EQ(probe.answers(), (answers_t{{"n0", welcome}, {"n1", refusal}}));
    EXPECT_TRUE(isAlive(peer.connected())) << "another connection is not touched";
}

TEST(PathProbe, whoDoesNotAnswerIsWaitedForOnlySoLongBadFlow) {
    const loopback peer(16);
    const loopback full(0); // the kernel drops who asks it
    pathProbe probe({{"n0", peer.ends()}, {"n1", full.ends()}, {"n2", "no address"}});
    EXPECT_FALSE(probe.isOver(30ms));
    EXPECT_TRUE(probe.isOver(2 * pathProbe::patience));
    EXPECT_EQ(probe.answers(), (answers_t{{"n0", welcome}, {"n1", none}, {"n2", none}}));
}

TEST(PathProbe, oneAnswerOfSeveralPathsIsEnough) {
    const loopback peer(16);
    const loopback full(0);
    pathProbe probe({{"n0", full.ends()}, {"n0", peer.ends()}});
    EXPECT_TRUE(probe.isOver(pathProbe::patience / 2));
    EXPECT_EQ(probe.answers(), (answers_t{{"n0", welcome}}));
}

TEST(PathProbe, withoutAPathNothingIsAsked) {
    pathProbe probe({});
    EXPECT_TRUE(probe.isOver(0ms));
    EXPECT_TRUE(probe.answers().empty());
}

TEST(PathProbe, aPeersPathsAreThoseInItsConnectionInfo) {
    const std::set<tcpPath> known = {{"n0", "0100000A:1000-0200000A:2000"},
                                     {"n1", "0101000A:1000-0201000A:2000"},
                                     {"n0", "0100000A:1001-0300000A:2000"}};
    const auto found = pathsOf(known, std::string("junk\x0a\0\0\x02more", 12));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].nic, "n0");
    EXPECT_EQ(found[0].ends, "0100000A:1000-0200000A:2000");
    EXPECT_EQ(pathsOf(known, "nothing that is known").size(), 3U);
    std::set<tcpPath> many = known;
    for (char digit = '1'; digit <= '9'; ++digit) {
        many.insert({"n0", std::string("0100000A:1000-0") + digit + "00000B:2000"});
    }
    EXPECT_EQ(pathsOf(many, "nothing").size(), pathProbe::most_unknown + 1U);
}

TEST(PathProbe, addressesAreTakenAsTheKernelPrintsThem) {
    const auto ends =
        endsOf("0000000000000000FFFF00000100007F:0001-B80D0120000000000000000001000000:1F90", "lo");
    ASSERT_TRUE(ends);
    EXPECT_EQ(ends->remote.family(), AF_INET6);
    EXPECT_EQ(ends->remote.bytes(), std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16));
    const auto *remote = reinterpret_cast<const sockaddr_in6 *>(ends->remote.get());
    EXPECT_EQ(ntohs(remote->sin6_port), 8080);
    const auto *local = reinterpret_cast<const sockaddr_in6 *>(ends->local.get());
    EXPECT_EQ(local->sin6_port, 0) << "any";
    EXPECT_EQ(local->sin6_scope_id, 0U);
    const auto linked =
        endsOf("000080FE000000000000000001000000:0001-000080FE000000000000000002000000:1F90", "lo");
    ASSERT_TRUE(linked);
    EXPECT_NE(reinterpret_cast<const sockaddr_in6 *>(linked->remote.get())->sin6_scope_id, 0U);
}

TEST(PathProbe, whatIsNoAddressIsNoneBadFlow) {
    for (const char *text : {"",
                             "-",
                             "0100007F:0001",
                             "0100007F:0001-",
                             "0100007F-0100007F:1",
                             "0100007F:0001-0100007G:0001",
                             "0100007F:0001-0100007F:10000",
                             "0100007F:0001-B80D0120000000000000000001000000:1F90",
                             "01007F:0001-01007F:0001"}) {
        EXPECT_FALSE(endsOf(text, "lo")) << text;
    }
}

TEST(EndConnections, endsThoseThatTheKernelWouldSoonGiveUp) {
    const loopback ours;
    const unsigned timeout_ms = 1000;
    ASSERT_EQ(::setsockopt(
                  ours.connected(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms),
              0);
    const loopback others;
    const loopback unnamed;
    endConnections({inodeOf(ours.connected()), inodeOf(others.connected())}, 1000ms);
    EXPECT_FALSE(isAlive(ours.connected()));
    EXPECT_TRUE(isAlive(others.connected())) << "the kernel would wait for minutes";
    EXPECT_TRUE(isAlive(unnamed.connected()));
}

} // namespace nixlStripe::testing
