// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "policy/selection.h"
#include "policy/tcp_nics.h"

#include <gtest/gtest.h>
#include <stdexcept>

using namespace nixlStripe;

namespace {

using names = std::vector<std::string>;

netInterface
interface(const std::string &name, double rate_gbps = 0) {
    netInterface each;
    each.name = name;
    each.up = true;
    each.address = address_t::YES;
    each.rateGbps = rate_gbps;
    return each;
}

netInterface
veth(const std::string &name) {
    netInterface each = interface(name);
    each.isVirtual = true;
    return each;
}

netInterface
loopback() {
    netInterface each = veth("lo");
    each.kind = netKind_t::LOOPBACK;
    return each;
}

machine
hostWith(std::vector<netInterface> interfaces) {
    machine host;
    host.source = "test";
    host.netInterfaces = std::move(interfaces);
    normalize(host);
    return host;
}

selection
choose(const machine &host,
       const std::string &stripe,
       std::optional<std::string> gpu = std::nullopt,
       std::optional<double> min_rate = std::nullopt) {
    stripeRequest request;
    request.stripe = stripe;
    request.gpuPci = std::move(gpu);
    request.minRateGbps = min_rate;
    return selectNics(host, request);
}

/** Two GPUs and four Ethernet NICs, two of each on either NUMA node. */
machine
ethernetHost() {
    hostBuilder builder;
    for (int node = 0; node < 2; ++node) {
        const std::string bus = node == 0 ? "0000:1" : "0000:2";
        builder.bridge(bus + "0:00.0", "", "pci" + bus + "0")
            .gpuAt(bus + "1:00.0", bus + "0:00.0", node)
            .nic("eth" + std::to_string(2 * node), bus + "2:00.0", bus + "0:00.0", node, 100)
            .nic("eth" + std::to_string(2 * node + 1), bus + "3:00.0", bus + "0:00.0", node, 100);
    }
    machine host = builder.build();
    for (const rdmaNic &nic : host.nics) {
        netInterface each = interface(nic.name, 100);
        each.pci = nic.pci;
        host.netInterfaces.push_back(each);
    }
    host.nics.clear();
    host.netInterfaces.push_back(loopback());
    normalize(host);
    return host;
}

} // namespace

TEST(Tcp, onlyWithoutAnyRdmaDevice) {
    EXPECT_FALSE(usesTcp(machine()));
    EXPECT_TRUE(usesTcp(hostWith({loopback()})));
    machine host = plainHost(2);
    host.netInterfaces = {interface("eth0"), interface("eth1")};
    EXPECT_FALSE(usesTcp(host));
    EXPECT_EQ(choose(host, "all").devices, (names{"mlx5_0:1", "mlx5_1:1"}));
    host.nics[0].ports[0].state = host.nics[1].ports[0].state = portState_t::DOWN;
    EXPECT_TRUE(choose(host, "all").devices.empty());
}

TEST(Tcp, vethRailsAreNicsWhereThereIsNothingElse) {
    const machine host = hostWith({veth("r2"), veth("r0"), veth("r10"), veth("r1"), loopback()});
    const selection chosen = choose(host, "all");
    EXPECT_TRUE(chosen.active);
    EXPECT_EQ(chosen.devices, (names{"r0", "r1", "r2", "r10"}));
    EXPECT_EQ(chosen.excluded.at("lo"), "loopback, not a NIC");
    ASSERT_EQ(chosen.warnings.size(), 1U);
    EXPECT_EQ(chosen.warnings[0],
              "stripe='all': there is no RDMA device; network interfaces are taken, for TCP: r0, "
              "r1, r2, r10");
    EXPECT_EQ(choose(host, "2").devices, (names{"r0", "r1"}));
    EXPECT_EQ(choose(host, "=r1,r10").devices, (names{"r1", "r10"}));
    EXPECT_EQ(choose(host, "^=r1").devices, (names{"r0", "r2", "r10"}));
    EXPECT_THROW(choose(host, "=r7"), std::invalid_argument);
    EXPECT_THROW(choose(host, "=r1:1"), std::invalid_argument);
}

TEST(Tcp, hardwareWinsOverVirtualInterfaces) {
    const machine host = hostWith({interface("eth0"), interface("eth1"), veth("veth7")});
    const selection chosen = choose(host, "all");
    EXPECT_EQ(chosen.devices, (names{"eth0", "eth1"}));
    EXPECT_EQ(chosen.excluded.at("veth7"), "virtual, and there are interfaces with hardware");
    EXPECT_EQ(choose(host, "=veth7").devices, names{"veth7"});
    machine down = host;
    down.netInterfaces[0].up = down.netInterfaces[1].up = false;
    EXPECT_EQ(choose(down, "all").devices, names{"veth7"});
}

TEST(Tcp, whatIsNoNicIsSaid) {
    netInterface docker = veth("docker0");
    docker.kind = netKind_t::BRIDGE;
    netInterface container = veth("veth1");
    container.master = "docker0";
    netInterface tunnel = veth("wg0");
    tunnel.kind = netKind_t::TUNNEL;
    netInterface bare = interface("eth1", 100);
    bare.address = address_t::NO;
    netInterface down = interface("eth2", 100);
    down.up = false;
    const selection chosen = choose(
        hostWith({interface("eth0", 100), bare, down, docker, container, tunnel, loopback()}),
        "all");
    EXPECT_EQ(chosen.devices, names{"eth0"});
    EXPECT_EQ(chosen.excluded.at("docker0"), "bridge, not a NIC");
    EXPECT_EQ(chosen.excluded.at("veth1"), "part of docker0, which has the address");
    EXPECT_EQ(chosen.excluded.at("wg0"), "tunnel, not a NIC");
    EXPECT_EQ(chosen.excluded.at("eth1"), "it has no address that a peer can reach");
    EXPECT_EQ(chosen.excluded.at("eth2"), "it is down");
    EXPECT_EQ(chosen.excluded.size(), 6U);
}

TEST(Tcp, downOrWithoutAddressCannotBeNamedEither) {
    netInterface down = interface("eth0");
    down.up = false;
    const selection chosen = choose(hostWith({down, loopback()}), "=eth0");
    EXPECT_FALSE(chosen.active);
    ASSERT_EQ(chosen.warnings.size(), 1U);
    EXPECT_NE(chosen.warnings[0].find("eth0: it is down"), std::string::npos);
    EXPECT_EQ(choose(hostWith({loopback()}), "=lo").devices, names{"lo"});
}

TEST(Tcp, aBondStandsForItsMembers) {
    netInterface bond = veth("bond0");
    bond.kind = netKind_t::BOND;
    netInterface member = interface("eth0", 100);
    member.master = "bond0";
    const selection chosen = choose(hostWith({bond, member, veth("cali1")}), "all");
    EXPECT_EQ(chosen.devices, names{"bond0"});
}

TEST(Tcp, membersOfAVrfKeepTheirAddress) {
    netInterface member = interface("eth0", 100);
    member.master = "blue";
    EXPECT_EQ(choose(hostWith({veth("blue"), member}), "all").devices, names{"eth0"});
}

TEST(Tcp, slowerOnesAreLeftOutUnknownOnesAreNot) {
    const machine host =
        hostWith({interface("eth0", 100), interface("eth1", 10), interface("ens5")});
    const selection chosen = choose(host, "all");
    EXPECT_EQ(chosen.devices, (names{"ens5", "eth0"}));
    EXPECT_EQ(chosen.excluded.at("eth1"),
              "10 Gbit/s is below 100 Gbit/s, the fastest rate present");
    const selection explicit_rate = choose(host, "all", std::nullopt, 10);
    EXPECT_EQ(explicit_rate.devices, (names{"eth0", "eth1"}));
    EXPECT_EQ(explicit_rate.excluded.at("ens5"),
              "its unknown rate is below stripe_min_rate_gbps=10");
    EXPECT_EQ(choose(host, "all", std::nullopt, 0).devices, (names{"ens5", "eth0", "eth1"}));
}

TEST(Tcp, policiesGoByThePciFunctions) {
    const machine host = ethernetHost();
    const char *const gpu = "0000:21:00.0";
    EXPECT_EQ(choose(host, "all").devices.size(), 4U);
    EXPECT_EQ(choose(host, "numa", gpu).devices, (names{"eth2", "eth3"}));
    EXPECT_EQ(choose(host, "nearest", gpu).devices, (names{"eth2", "eth3"}));
    EXPECT_EQ(choose(host, "fair", gpu).devices, (names{"eth2", "eth3"}));
    EXPECT_EQ(choose(host, "auto", gpu).devices, names{"eth2"});
    EXPECT_EQ(choose(host, "3", gpu).devices, (names{"eth0", "eth2", "eth3"}));
}

TEST(Tcp, withoutPciFunctionsAffinityChoosesNothing) {
    hostBuilder builder;
    builder.gpuAt("0000:11:00.0", "", 0).gpuAt("0000:21:00.0", "", 1);
    machine host = builder.build();
    host.netInterfaces = {veth("r0"), veth("r1"), veth("r2"), veth("r3")};
    const char *const gpu = "0000:21:00.0";
    EXPECT_EQ(choose(host, "numa", gpu).devices.size(), 4U);
    EXPECT_EQ(choose(host, "nearest", gpu).devices.size(), 4U);
    EXPECT_EQ(choose(host, "fair", gpu).devices, (names{"r1", "r3"}));
    EXPECT_EQ(choose(host, "auto", gpu).devices, names{"r1"});
}

TEST(Tcp, hundredsOfInterfacesDoNotFillTheWarning) {
    std::vector<netInterface> many;
    for (int i = 0; i < 100; ++i) {
        netInterface each = veth("veth" + std::to_string(i));
        each.up = false;
        many.push_back(each);
    }
    const selection chosen = choose(hostWith(many), "all");
    EXPECT_EQ(chosen.excluded.size(), 100U);
    EXPECT_NE(chosen.warnings.at(0).find("; and 92 more"), std::string::npos);
    EXPECT_LT(chosen.warnings.at(0).size(), 400U);
}
