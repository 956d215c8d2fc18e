// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "policy/planes.h"
#include "policy/usable.h"

#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

using names = std::vector<std::string>;

/** Subnet, rate and number of NICs. */
struct made {
    std::string subnet;
    std::size_t nics;
    double rateGbps = 400;
};

fabric
wiresOf(const std::string &subnet, const std::string &vendor = "a") {
    return {"InfiniBand", vendor, subnet};
}

/** What each of these subnets is called, with @p down NICs beside them. */
names
toldOf(const std::vector<made> &subnets, std::size_t down = 0) {
    planes known;
    std::size_t nic = 0;
    for (const made &each : subnets) {
        for (std::size_t i = 0; i < each.nics; ++i, ++nic) {
            known.add(wiresOf(each.subnet), nic, each.rateGbps, {std::to_string(100 + nic), 1});
        }
    }
    for (std::size_t i = 0; i < down; ++i) {
        known.addDown(wiresOf(""));
    }
    known.tell();
    names result;
    for (const made &each : subnets) {
        result.push_back(known.of(wiresOf(each.subnet)));
    }
    return result;
}

/** InfiniBand NICs "n0", "n1", ...: a letter is a subnet, '-' is down, '=' is Ethernet. */
machine
hostOf(const std::string &ports) {
    hostBuilder builder;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        char address[32];
        std::snprintf(address, sizeof(address), "0000:%02zx:00.0", i + 1);
        builder.nic("n" + std::to_string(i), address, "", 0);
        port &at = builder.last().ports[0];
        if (ports[i] == '=') {
            at.linkLayer = linkLayer_t::ETHERNET;
        } else if (ports[i] == '-') {
            at.state = portState_t::DOWN;
            at.rateGbps = 10;
            at.gids = {"fe80:0000:0000:0000:0000:00ff:fe00:0001"};
        } else {
            at.gids = {std::string("fec0:0000:0000:000") + ports[i] + ":0000:00ff:fe00:0001"};
        }
    }
    return builder.build();
}

std::size_t
usableOf(const std::string &ports) {
    const machine host = hostOf(ports);
    return findUsable(host, {}).ports.size();
}

} // namespace

TEST(Planes, nearlyAsManyNicsAreOneFabric) {
    EXPECT_EQ(toldOf({{"a", 4}, {"b", 4}}), (names{"a", "a"}));
    EXPECT_EQ(toldOf({{"b", 4}, {"a", 4}}), (names{"b", "b"})) << "the first by place";
    EXPECT_EQ(toldOf({{"a", 3}, {"b", 4}}), (names{"a", "a"}));
    EXPECT_EQ(toldOf({{"a", 1}, {"b", 1}, {"c", 1}}), (names{"a", "a", "a"}));
}

TEST(Planes, halfAsManyAreAnother) {
    EXPECT_EQ(toldOf({{"a", 4}, {"b", 2}}), (names{"a", "b"}));
    EXPECT_EQ(toldOf({{"a", 4}, {"b", 4}, {"c", 1}}), (names{"a", "a", "c"}));
    EXPECT_EQ(toldOf({{"a", 1}, {"b", 1}, {"c", 2}}), (names{"a", "a", "c"}));
    EXPECT_EQ(toldOf({{"a", 8}, {"b", 2}, {"c", 2}}), (names{"a", "b", "b"}));
}

TEST(Planes, whatIsDownMakesUpForWhatIsMissing) {
    EXPECT_EQ(toldOf({{"a", 4}, {"b", 1}}, 3), (names{"a", "a"}));
    EXPECT_EQ(toldOf({{"a", 4}, {"b", 1}}, 2), (names{"a", "b"})) << "not enough of them";
    EXPECT_EQ(toldOf({{"a", 2}, {"b", 1}, {"c", 1}}, 2), (names{"a", "a", "a"}));
    EXPECT_EQ(toldOf({{"a", 2}, {"b", 1}, {"c", 1}}, 1), (names{"a", "b", "b"}))
        << "it cannot be of both";
}

TEST(Planes, anotherRateIsAnotherFabricButForRails) {
    EXPECT_EQ(toldOf({{"a", 4, 400}, {"b", 4, 200}}), (names{"a", "b"}));
    EXPECT_EQ(toldOf({{"a", 1, 400}, {"b", 1, 200}}), (names{"a", "a"})) << "trained down";
}

TEST(Planes, theRateOfASubnetIsThatOfItsFastestPort) {
    planes known;
    for (std::size_t i = 0; i < 6; ++i) {
        const bool is_slow = i == 1 || i == 3;
        known.add(wiresOf(i % 2 == 0 ? "a" : "b"), i, is_slow ? 200 : 400, {std::to_string(i), 1});
    }
    known.tell();
    EXPECT_EQ(known.of(wiresOf("b")), "a");
}

TEST(Planes, vendorsAndPortsWithoutASubnetStayApart) {
    planes known;
    known.add(wiresOf("a"), 0, 400, {"1", 1});
    known.add(wiresOf("b", "other"), 1, 400, {"2", 1});
    known.add(wiresOf(""), 2, 400, {"3", 1});
    known.tell();
    EXPECT_EQ(known.of(wiresOf("b", "other")), "b");
    EXPECT_EQ(known.of(wiresOf("")), "");
}

TEST(Planes, portsOfOneNicInTwoSubnetsAreTwoFabrics) {
    planes known;
    for (std::size_t i = 0; i < 2; ++i) {
        known.add(wiresOf("a"), i, 400, {std::to_string(i), 1});
        known.add(wiresOf("b"), i, 400, {std::to_string(i), 2});
    }
    known.tell();
    EXPECT_EQ(known.of(wiresOf("a")), "a");
    EXPECT_EQ(known.of(wiresOf("b")), "b");
}

TEST(Planes, hostsThatLackDifferentNicsChooseTheSameFabric) {
    EXPECT_EQ(usableOf("12121212"), 8U);
    EXPECT_EQ(usableOf("121-1212"), 7U);
    EXPECT_EQ(usableOf("12-21212"), 7U);
    EXPECT_EQ(usableOf("1-1-1-12"), 5U) << "one plane has a single NIC left";
    EXPECT_EQ(usableOf("1-1-1-1-"), 4U);
    EXPECT_EQ(usableOf("11112"), 4U);
    EXPECT_EQ(usableOf("111-2"), 3U) << "storage does not take the place of what is down";
}

TEST(Planes, aFabricCountsWithWhatIsDown) {
    EXPECT_EQ(usableOf("1111==="), 4U);
    EXPECT_EQ(usableOf("1---==="), 1U);
    EXPECT_EQ(usableOf("----==="), 3U) << "nothing of it can be used";
    EXPECT_EQ(usableOf("11====="), 5U);
    EXPECT_EQ(usableOf("11--====="), 5U);
    const machine host = hostOf("1---===");
    EXPECT_EQ(
        findUsable(host, {}).excluded.at("n4"),
        "Ethernet is another fabric than InfiniBand, whose 1 NIC(s) and 3 that are down carry "
        "more");
}

TEST(Planes, whatAListLeavesOutIsNotThere) {
    const machine host = hostOf("1---===");
    const ncclList list = parseNcclList("stripe", "^=n1,n2,n3", "");
    usableRequest request;
    request.list = &list;
    EXPECT_EQ(findUsable(host, request).ports.size(), 3U);
}

TEST(Planes, virtualFunctionsThatAreDownAreNoPortsOfTheirOwn) {
    machine host = hostOf("1---==");
    for (std::size_t i = 1; i < 4; ++i) {
        host.nics[i].physicalFunction = host.nics[0].pci;
    }
    EXPECT_EQ(findUsable(host, {}).ports.size(), 2U);
    for (std::size_t i = 1; i < 4; ++i) {
        host.nics[i].physicalFunction.clear();
    }
    EXPECT_EQ(findUsable(host, {}).ports.size(), 1U);
}

TEST(Planes, aSubnetThatIsLeftOutIsAWarning) {
    const machine storage = hostOf("111122");
    const usableNics left = findUsable(storage, {});
    ASSERT_EQ(left.warnings.size(), 1U);
    EXPECT_NE(left.warnings[0].find("subnet fec0:0000:0000:0002 (n4:1, n5:1) is left out"),
              std::string::npos);
    machine slow = hostOf("111122");
    slow.nics[4].ports[0].rateGbps = slow.nics[5].ports[0].rateGbps = 200;
    EXPECT_TRUE(findUsable(slow, {}).warnings.empty()) << "another rate";
    EXPECT_TRUE(findUsable(hostOf("1111=="), {}).warnings.empty()) << "another network";
}
