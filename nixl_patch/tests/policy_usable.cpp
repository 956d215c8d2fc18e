// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "policy/usable.h"

#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

std::vector<std::string>
texts(const usableNics &usable) {
    std::vector<std::string> result;
    for (const nicPort &at : usable.ports) {
        result.push_back(at.text());
    }
    return result;
}

using names = std::vector<std::string>;

} // namespace

TEST(Usable, everyNicIsEitherUsableOrHasAReason) {
    hostBuilder builder;
    builder.nic("good", "", "", 0);
    builder.nic("down", "", "", 0).last().ports[0].state = portState_t::DOWN;
    builder.nic("unplugged", "", "", 0).last().ports[0].state = portState_t::DOWN;
    builder.last().ports[0].physicalState = "Polling";
    builder.nic("unmanaged", "", "", 0).last().ports[0].state = portState_t::INIT;
    builder.last().ports[0].physicalState = "LinkUp";
    builder.nic("deferred", "", "", 0).last().ports[0].state = portState_t::ACTIVE_DEFER;
    builder.nic("hidden", "", "", 0).last().access = access_t::NO_NODE;
    builder.last().uverbs = "uverbs3";
    builder.nic("closed", "", "", 0).last().access = access_t::DENIED;
    builder.nic("bonded", "", "", 0).last().bondMaster = "bond0";
    builder.nic("slow", "", "", 0, 100);
    builder.nic("portless", "", "", 0).last().ports.clear();
    builder.nic("iwarp", "", "", 0).last().nodeType = "4: RNIC";
    const machine host = builder.build();
    const usableNics usable = findUsable(host, {});
    EXPECT_EQ(texts(usable), names{"good:1"});
    EXPECT_EQ(usable.excluded.size() + usable.ports.size(), host.nics.size());
    EXPECT_EQ(usable.excluded.at("down"), "port 1 is DOWN, not ACTIVE");
    EXPECT_EQ(usable.excluded.at("unplugged"), "port 1 is DOWN (Polling), not ACTIVE");
    EXPECT_EQ(usable.excluded.at("unmanaged"), "port 1 is INIT, not ACTIVE");
    EXPECT_EQ(usable.excluded.at("deferred"), "port 1 is ACTIVE_DEFER, not ACTIVE");
    EXPECT_NE(usable.excluded.at("hidden").find("/dev/infiniband/uverbs3"), std::string::npos);
    EXPECT_NE(usable.excluded.at("bonded").find("bond0"), std::string::npos);
    EXPECT_EQ(usable.excluded.at("slow"),
              "100 Gbit/s is below 400 Gbit/s, the fastest rate present");
    EXPECT_EQ(usable.excluded.at("portless"), "it has no port");
    EXPECT_NE(usable.excluded.at("iwarp").find("iWARP"), std::string::npos);
}

TEST(Usable, namesTellWhatUcxCannotUseWhereTheKernelDoesNot) {
    hostBuilder builder;
    for (const char *name : {"usnic_0", "cxgb4_1", "erdma_0", "i40iw3", "iwp65s0f1", "siw0"}) {
        builder.nic(name, "", "", 0);
    }
    const usableNics none = findUsable(builder.build(), {});
    EXPECT_TRUE(none.ports.empty());
    EXPECT_EQ(none.excluded.at("usnic_0"), "it is usNIC, which UCX cannot use");
    EXPECT_EQ(none.excluded.at("iwp65s0f1"), "it speaks iWARP, which UCX cannot use");
    hostBuilder others;
    // The kernel's word counts before the name; other names only look alike.
    others.nic("siw0", "", "", 0).last().nodeType = "1: CA";
    others.nic("usnic_x", "", "", 0).nic("siwa", "", "", 0).nic("iwp", "", "", 0);
    EXPECT_EQ(findUsable(others.build(), {}).ports.size(), 4U);
}

TEST(Usable, fastestRateIsThatOfNicsThatCouldBeUsed) {
    hostBuilder builder;
    builder.nic("a", "", "", 0, 200).nic("b", "", "", 0, 200).nic("c", "", "", 0, 400);
    builder.last().ports[0].state = portState_t::DOWN;
    const machine host = builder.build();
    EXPECT_EQ(texts(findUsable(host, {})), (names{"a:1", "b:1"}));
}

namespace {

/** InfiniBand NICs "a", "b", ... of one rate, each in the subnet whose last digit is given. */
machine
inSubnets(const std::string &digits) {
    hostBuilder builder;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        builder.nic(std::string(1, static_cast<char>('a' + i)), "", "", 0);
        if (digits[i] != '?') {
            builder.last().ports[0].gids = {std::string("fec0:0000:0000:000") + digits[i] +
                                            ":0000:00ff:fe00:0001"};
        }
    }
    return builder.build();
}

std::size_t
usableOf(const machine &host) {
    return findUsable(host, {}).ports.size();
}

} // namespace

TEST(Usable, aSubnetOfItsOwnIsAnotherFabric) {
    const machine host = inSubnets("11121");
    const usableNics usable = findUsable(host, {});
    EXPECT_EQ(texts(usable), (names{"a:1", "b:1", "c:1", "e:1"}));
    EXPECT_EQ(usable.excluded.at("d"),
              "InfiniBand (subnet fec0:0000:0000:0002) is another fabric than InfiniBand (subnet "
              "fec0:0000:0000:0001), whose 4 NIC(s) carry more");
}

namespace {

names
chosenOf(hostBuilder &builder) {
    const machine host = builder.build();
    return texts(findUsable(host, {}));
}

} // namespace

TEST(Usable, bondsAndOthersAreWeighedAsGroups) {
    hostBuilder builder;
    builder.nic("a", "0000:01:00.0", "", 0, 200).last().bondMaster = "bond0";
    builder.nic("b", "0000:02:00.0", "", 0, 200).last().bondMaster = "bond1";
    builder.nic("plain", "0000:03:00.0", "", 0, 200);
    const machine more_bonds = builder.build();
    const usableNics bonds = findUsable(more_bonds, {});
    EXPECT_EQ(texts(bonds), (names{"a:1", "b:1"}));
    EXPECT_EQ(bonds.excluded.at("plain"), "it is in no bond, and the bonds of 2 NIC(s) carry more");
    builder.nic("q", "0000:04:00.0", "", 0, 200);
    const machine as_many = builder.build();
    const usableNics plain = findUsable(as_many, {});
    EXPECT_EQ(texts(plain), (names{"plain:1", "q:1"}));
    EXPECT_EQ(plain.excludedBy.at("a"), "bond");
    EXPECT_NE(plain.excluded.at("a").find("2 NIC(s) without one carry as much without a bond"),
              std::string::npos);
}

TEST(Usable, aFabricIsWeighedByWhatWouldBeLeftOfIt) {
    hostBuilder builder;
    builder.nic("a", "0000:01:00.0", "", 0, 200).nic("b", "0000:02:00.0", "", 0, 200);
    for (unsigned i = 0; i < 5; ++i) {
        builder.nic("eth" + std::to_string(i), "0000:1" + std::to_string(i) + ":00.0", "", 0, 100);
        builder.last().ports[0].linkLayer = linkLayer_t::ETHERNET;
    }
    builder.last().ports[0].rateGbps = 200; // 600 in all, and 400 of one rate
    const machine host = builder.build();
    const usableNics tie = findUsable(host, {});
    EXPECT_EQ(tie.ports.size(), 4U) << "as much, and more NICs";
    EXPECT_EQ(tie.excluded.at("a"),
              "InfiniBand is another fabric than Ethernet, whose 4 NIC(s) "
              "carry as much and are more");
    builder.last().ports[0].rateGbps = 800;
    EXPECT_EQ(chosenOf(builder), names{"eth4:1"});
    builder.last().ports[0].rateGbps = 300;
    builder.nic("c", "0000:03:00.0", "", 0, 200);
    EXPECT_EQ(findUsable(builder.build(), {}).ports.size(), 3U) << "not 700 in all";
}

TEST(Usable, theFabricIsThatOfThePortThatIsUsed) {
    hostBuilder builder;
    builder.nic("a", "0000:01:00.0", "", 0, 100);
    port second = builder.last().ports[0];
    builder.last().ports[0].linkLayer = linkLayer_t::ETHERNET;
    second.number = 2;
    builder.last().ports.push_back(second);
    builder.nic("b", "0000:02:00.0", "", 0, 100);
    EXPECT_EQ(chosenOf(builder), (names{"a:2", "b:1"}));
    builder.last().ports[0].linkLayer = linkLayer_t::ETHERNET;
    EXPECT_EQ(chosenOf(builder), (names{"a:1", "b:1"}));
    builder.last().ports[0].linkLayer = linkLayer_t::EFA;
    EXPECT_EQ(chosenOf(builder), names{"b:1"}) << "alone, and no front end";
}

TEST(Usable, railsWithASubnetEachAreOneFabric) {
    EXPECT_EQ(usableOf(inSubnets("1234")), 4U);
    EXPECT_EQ(usableOf(inSubnets("1122")), 4U); // nothing says which of them is the job's
    EXPECT_EQ(usableOf(inSubnets("12")), 2U);
}

TEST(Usable, whatHasNoKnownSubnetStays) {
    EXPECT_EQ(usableOf(inSubnets("111?")), 4U);
    EXPECT_EQ(usableOf(inSubnets("1??2")), 4U);
}

TEST(Usable, lowestActivePortThatIsFastEnough) {
    hostBuilder builder;
    builder.nic("mlx5_0", "", "", 0).nic("mlx5_1", "", "", 0, 100);
    port second = builder.last().ports[0];
    second.number = 2;
    second.rateGbps = 400;
    builder.last().ports.push_back(second);
    const machine host = builder.build();
    EXPECT_EQ(texts(findUsable(host, {})), (names{"mlx5_0:1", "mlx5_1:2"}));
    usableRequest any_rate;
    any_rate.minRateGbps = 0;
    EXPECT_EQ(texts(findUsable(host, any_rate)), (names{"mlx5_0:1", "mlx5_1:1"}));
}

TEST(Usable, explicitMinimumRate) {
    hostBuilder builder;
    builder.nic("a", "", "", 0, 100).nic("b", "", "", 0, 200).nic("c", "", "", 0, 0);
    const machine host = builder.build();
    usableRequest request;
    request.minRateGbps = 150;
    const usableNics usable = findUsable(host, request);
    EXPECT_EQ(texts(usable), names{"b:1"});
    EXPECT_EQ(usable.excluded.at("a"), "100 Gbit/s is below stripe_min_rate_gbps=150");
    EXPECT_EQ(usable.excluded.at("c"), "its unknown rate is below stripe_min_rate_gbps=150");
}

TEST(Usable, unknownRatesAndStatesOfXmlSourcesCount) {
    machine host = plainHost(3, 0);
    for (rdmaNic &nic : host.nics) {
        nic.ports[0].state = portState_t::UNKNOWN;
        nic.access = access_t::UNKNOWN;
    }
    EXPECT_EQ(findUsable(host, {}).ports.size(), 3U);
    host.nics[0].ports[0].rateGbps = 400;
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_0:1"});
}

TEST(Usable, oneLanePerPhysicalPort) {
    hostBuilder builder;
    builder.nic("mlx5_0", "0000:01:00.2", "", 0).last().physicalFunction = "0000:01:00.0";
    builder.nic("mlx5_1", "0000:01:00.0", "", 0);
    builder.nic("mlx5_2", "0000:02:00.2", "", 0).last().physicalFunction = "0000:02:00.0";
    builder.nic("mlx5_3", "0000:02:00.3", "", 0).last().physicalFunction = "0000:02:00.0";
    const machine host = builder.build();
    const usableNics usable = findUsable(host, {});
    EXPECT_EQ(texts(usable), (names{"mlx5_1:1", "mlx5_2:1"}));
    EXPECT_EQ(usable.excluded.at("mlx5_0"), "virtual function of mlx5_1, which is there itself");
    EXPECT_NE(usable.excluded.at("mlx5_3").find("mlx5_2"), std::string::npos);
}

TEST(Usable, virtualFunctionsWhereTheirPhysicalOneIsNotAccessible) {
    hostBuilder builder;
    builder.nic("mlx5_0", "0000:01:00.0", "", 0).last().access = access_t::NO_NODE;
    builder.nic("mlx5_1", "0000:01:00.2", "", 0).last().physicalFunction = "0000:01:00.0";
    const machine host = builder.build();
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_1:1"});
}

namespace {

/** Makes it RoCE with one address each of these interfaces; the first one's is link-local. */
void
giveAddresses(rdmaNic &nic, const names &netdevs) {
    port &at = nic.ports[0];
    at.linkLayer = linkLayer_t::ETHERNET;
    at.gids.clear();
    for (std::size_t i = 0; i < netdevs.size(); ++i) {
        at.gids.emplace_back(i == 0 ? "fe80:0000:0000:0000:0000:00ff:fe00:0001"
                                    : "0000:0000:0000:0000:0000:ffff:c0a8:0001");
    }
    at.gidNetdevs = netdevs;
    at.netdev = netdevs.front();
}

netInterface
interface(const std::string &name, const std::string &master = "", const std::string &pci = "") {
    netInterface each;
    each.name = name;
    each.master = master;
    each.pci = pci;
    return each;
}

} // namespace

TEST(Usable, aPortThatCannotBeUsedHereStandsForNoOther) {
    hostBuilder builder;
    builder.nic("mlx5_0", "0000:01:00.0", "", 0);
    giveAddresses(builder.last(), {"eth0", "eth0"});
    builder.nic("mlx5_1", "0000:01:00.2", "", 0).last().physicalFunction = "0000:01:00.0";
    giveAddresses(builder.last(), {"net1", "net1"});
    machine host = builder.build();
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_0:1"}) << "no interface is known";
    host.netInterfaces = {interface("net1")};
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_1:1"});
    host.netInterfaces = {interface("lo")};
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_0:1"}) << "there is nothing better";
    host.netInterfaces = {interface("eth0"), interface("net1")};
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_0:1"});
    giveAddresses(host.nics[0], {"eth0"});
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_1:1"}) << "it has an address, mlx5_0 none";
}

TEST(Usable, aLagDeviceAnswersForVirtualFunctionsOfEachOfItsPorts) {
    hostBuilder builder;
    builder.nic("mlx5_bond_0", "0000:01:00.0", "", 0);
    giveAddresses(builder.last(), {"bond0", "bond0"});
    builder.nic("mlx5_1", "0000:01:00.3", "", 0).last().physicalFunction = "0000:01:00.1";
    giveAddresses(builder.last(), {"net1", "net1"});
    machine host = builder.build();
    EXPECT_EQ(texts(findUsable(host, {})), names{"mlx5_bond_0:1"}) << "by the card alone";
    rdmaNic &lag = host.nics[1];
    lag.name = "whatever";
    lag.bondMaster = "bond0";
    host.netInterfaces = {
        interface("bond0"), interface("net1"), interface("ens1", "bond0", "0000:01:00.1")};
    EXPECT_EQ(texts(findUsable(host, {})), names{"whatever:1"});
    EXPECT_EQ(findUsable(host, {}).excluded.at("mlx5_1"),
              "virtual function of 0000:01:00.1, for whose bond whatever answers");
    lag.bondMaster.clear(); // then it is the card's other port
    lag.ports[0].netdev = "ens0";
    host.netInterfaces = {interface("bond0"), interface("net1")};
    EXPECT_EQ(findUsable(host, {}).excluded.count("mlx5_1"), 0U);
}

TEST(Usable, softRoceGivesWayToTheNicOfItsInterface) {
    hostBuilder builder;
    builder.nic("a_rxe", "0000:01:00.0", "", 0).last().driver = "rdma_rxe";
    builder.nic("mlx5_0", "0000:01:00.0", "", 0).last().driver = "mlx5_core";
    builder.nic("b_rxe", "0000:02:00.0", "", 0).last().driver = "rdma_rxe";
    const usableNics usable = findUsable(builder.build(), {});
    EXPECT_EQ(usable.excluded.at("a_rxe"),
              "Soft-RoCE on the port of mlx5_0, which does RDMA in hardware");
    EXPECT_EQ(usable.excluded.at("b_rxe"),
              "InfiniBand (rdma_rxe) is another fabric than InfiniBand (mlx5_core), whose 1 NIC(s) "
              "do RDMA in hardware");
}

TEST(Usable, namingADeviceOverridesWhatIsNotWiseOnly) {
    hostBuilder builder;
    builder.nic("fast", "", "", 0);
    builder.nic("slow", "", "", 0, 100);
    builder.nic("bonded", "", "", 0).last().bondMaster = "bond0";
    builder.nic("down", "", "", 0).last().ports[0].state = portState_t::DOWN;
    const machine host = builder.build();
    const ncclList list = parseNcclList("stripe", "=fast,slow,bonded,down", "");
    usableRequest request;
    request.list = &list;
    const usableNics usable = findUsable(host, request);
    EXPECT_EQ(texts(usable), (names{"bonded:1", "fast:1", "slow:1"}));
    EXPECT_EQ(usable.excluded.at("down"), "port 1 is DOWN, not ACTIVE");
}

TEST(Usable, aPrefixIsNoName) {
    hostBuilder builder;
    builder.nic("mlx5_0", "", "", 0).nic("mlx5_1", "", "", 0, 100);
    const machine host = builder.build();
    const ncclList list = parseNcclList("stripe", "mlx5", "");
    usableRequest request;
    request.list = &list;
    EXPECT_EQ(texts(findUsable(host, request)), names{"mlx5_0:1"});
}

TEST(Usable, portsOfAList) {
    hostBuilder builder;
    builder.nic("mlx4_0", "", "", 0);
    port second = builder.last().ports[0];
    second.number = 2;
    builder.last().ports.push_back(second);
    machine host = builder.build();
    const ncclList both = parseNcclList("stripe", "=mlx4_0:1,mlx4_0:2", "");
    usableRequest request;
    request.list = &both;
    EXPECT_EQ(texts(findUsable(host, request)), (names{"mlx4_0:1", "mlx4_0:2"}));
    host.nics[0].ports[1].state = portState_t::DOWN;
    const usableNics usable = findUsable(host, request);
    EXPECT_EQ(texts(usable), names{"mlx4_0:1"});
    ASSERT_EQ(usable.warnings.size(), 1U);
    EXPECT_NE(usable.warnings[0].find("mlx4_0:2"), std::string::npos);
    const ncclList not_first = parseNcclList("stripe", "^=mlx4_0:1", "");
    request.list = &not_first;
    EXPECT_EQ(findUsable(host, request).excluded.at("mlx4_0"), "port 2 is DOWN, not ACTIVE");
}
