// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "policy/ceiling.h"
#include "policy/max_flow.h"
#include "topology/pcie_link.h"

#include <gtest/gtest.h>
#include <stdexcept>

using namespace nixlStripe;

namespace {

constexpr double gen5_x16 = 32.0 * 16 * 128 / 130;

} // namespace

TEST(MaxFlow, knownNetworks) {
    flowNetwork network;
    const std::size_t source = network.addNode();
    const std::size_t left = network.addNode();
    const std::size_t right = network.addNode();
    const std::size_t sink = network.addNode();
    EXPECT_EQ(network.maxFlow(source, sink), 0);
    network.addPipe(source, left, 10);
    network.addPipe(source, right, 5);
    network.addPipe(left, right, 15);
    network.addPipe(left, sink, 5);
    network.addPipe(right, sink, 10);
    EXPECT_DOUBLE_EQ(network.maxFlow(source, sink), 15);
    network.addPipe(source, sink, flowNetwork::unlimited);
    EXPECT_EQ(network.maxFlow(source, sink), flowNetwork::unlimited);
}

TEST(MaxFlow, findsTheWayBack) {
    // The first path found takes the middle pipe; only undoing it reaches the maximum.
    flowNetwork network;
    for (int i = 0; i < 6; ++i) {
        network.addNode();
    }
    network.addPipe(0, 1, 1);
    network.addPipe(0, 2, 1);
    network.addPipe(1, 4, 1);
    network.addPipe(2, 4, 1);
    network.addPipe(1, 3, 1);
    network.addPipe(3, 5, 1);
    network.addPipe(4, 5, 1);
    EXPECT_DOUBLE_EQ(network.maxFlow(0, 5), 2);
}

TEST(Ceiling, encodings) {
    EXPECT_DOUBLE_EQ(pcieGbps(2.5, 16), 32);
    EXPECT_DOUBLE_EQ(pcieGbps(5, 8), 32);
    EXPECT_NEAR(pcieGbps(8, 16), 126.03, 0.01);
    EXPECT_NEAR(pcieGbps(32, 16), 504.12, 0.01);
    EXPECT_EQ(pcieGbps(0, 16), 0);
}

TEST(Ceiling, portRatesWhereLinksAreFaster) {
    const machine host = switchedHost(2, 1, 2);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_2:1"}), 800);
    EXPECT_EQ(*ceilingGbps(host, {}), 0);
}

TEST(Ceiling, aSharedUpstreamLinkCountsOnce) {
    const machine host = switchedHost(2, 1, 2);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1"}), gen5_x16);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"}),
                     2 * gen5_x16);
}

TEST(Ceiling, fromAGpuItsOwnLinkLimits) {
    machine host = switchedHost(2, 1, 2);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_2:1"}, "0000:13:00.0"), gen5_x16);
    host.pci.at("0000:13:00.0").linkGtps = 64;
    host.pci.at("0000:12:00.0").linkGtps = 64;
    // The switch joins the GPU to its own NICs without the upstream link.
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1"}, "0000:13:00.0"), 800);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}, "13:00.0"),
                     2 * gen5_x16);
}

TEST(Ceiling, aSuperchipsGpuIsNotBehindItsPcieLink) {
    machine host = switchedHost(2, 1, 2);
    host.pci.at("0000:13:00.0").vendor = 0x10de;
    host.pci.at("0000:13:00.0").device = 0x2941;
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_2:1"}, "0000:13:00.0"), 800);
    host.pci.at("0000:13:00.0").device = 0x2330;
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_2:1"}, "0000:13:00.0"), gen5_x16);
}

TEST(Ceiling, anIdleGpusLinkSpeedIsNotItsLimit) {
    machine host = switchedHost(2, 1, 2);
    for (const char *end : {"0000:13:00.0", "0000:12:00.0"}) {
        host.pci.at(end).linkGtps = 2.5;
    }
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1"}, "0000:13:00.0"), 800);
}

TEST(Ceiling, functionsOfOneCardShareItsLink) {
    hostBuilder builder;
    builder.bridge("0000:10:00.0", "", "pci0000:10", 0, 0);
    builder.nic("mlx5_0", "0000:11:00.0", "0000:10:00.0", 0);
    builder.nic("mlx5_1", "0000:11:00.1", "0000:10:00.0", 0);
    EXPECT_DOUBLE_EQ(*ceilingGbps(builder.build(), {"mlx5_0:1", "mlx5_1:1"}), gen5_x16);
}

TEST(Ceiling, virtualFunctionsShareAPort) {
    hostBuilder builder;
    builder.nic("mlx5_0", "0000:11:00.2", "", 0, 200).last().physicalFunction = "0000:11:00.0";
    builder.nic("mlx5_1", "0000:11:00.3", "", 0, 200).last().physicalFunction = "0000:11:00.0";
    EXPECT_DOUBLE_EQ(*ceilingGbps(builder.build(), {"mlx5_0:1", "mlx5_1:1"}), 200);
}

namespace {

/** Two devices of one card, as they show in two slots. */
machine
cardInTwoSlots(unsigned bridge_vendor, const std::string &guid, double gtps, unsigned width) {
    hostBuilder builder;
    builder.bridge("0000:00:00.0", "", "pci0000:00").bridge("0002:00:00.0", "", "pci0002:00");
    builder.nic("mlx5_0", "0000:01:00.0", "0000:00:00.0", 0, 200).last().sysImageGuid = guid;
    builder.nic("mlx5_1", "0002:01:00.0", "0002:00:00.0", 0, 200).last().sysImageGuid = guid;
    machine host = builder.build();
    for (const char *domain : {"0000", "0002"}) {
        const std::string start = domain;
        host.pci.at(start + ":00:00.0").vendor = bridge_vendor;
        host.pci.at(start + ":01:00.0").linkGtps = gtps;
        host.pci.at(start + ":01:00.0").linkWidth = width;
    }
    return host;
}

double
bothOf(const machine &host) {
    return *ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1"});
}

} // namespace

TEST(Ceiling, aCardInTwoSlotsHasItsCableOnce) {
    const std::string guid = "b859:9f03:00ff:0010";
    EXPECT_DOUBLE_EQ(bothOf(cardInTwoSlots(0x8086, guid, 32, 16)), 200);
    EXPECT_DOUBLE_EQ(bothOf(cardInTwoSlots(0x1b36, guid, 32, 16)), 400) << "a virtual machine's";
    EXPECT_DOUBLE_EQ(bothOf(cardInTwoSlots(0x8086, "", 32, 16)), 400) << "nothing says so";
    EXPECT_DOUBLE_EQ(bothOf(cardInTwoSlots(0x8086, "", 32, 4)), 200) << "halves by their links";
    machine other = cardInTwoSlots(0x8086, "", 32, 4);
    other.pci.at("0002:01:00.0").device = 7;
    EXPECT_GT(bothOf(other), 250) << "another kind of card";
    other = cardInTwoSlots(0x8086, "", 32, 4);
    other.nics[1].ports[0].rateGbps = 400;
    EXPECT_GT(bothOf(other), 250) << "another kind of port";
}

TEST(Ceiling, networkInterfacesAndUnknownRates) {
    machine host = plainHost(1, 100);
    netInterface eth;
    eth.name = "eth0";
    eth.rateGbps = 25;
    host.netInterfaces.push_back(eth);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"eth0"}), 25);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0", "eth0"}), 125);
    host.netInterfaces[0].rateGbps = 0;
    EXPECT_FALSE(ceilingGbps(host, {"eth0"}).has_value());
}

TEST(Ceiling, unknownDevicesAndGpusAreErrors) {
    const machine host = switchedHost(1, 1, 1);
    EXPECT_THROW(ceilingGbps(host, {"mlx5_9:1"}), std::invalid_argument);
    EXPECT_THROW(ceilingGbps(host, {"mlx5_0:2"}), std::invalid_argument);
    EXPECT_THROW(ceilingGbps(host, {"mlx5_0:1"}, "0000:99:00.0"), std::invalid_argument);
}
