// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "hosts.h"
#include "policy/ceiling.h"
#include "policy/peer_rates.h"
#include "policy/selection.h"
#include "topology/cpu_type.h"

#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

using names = std::vector<std::string>;

const char *const first_gpu = "0000:13:00.0";
constexpr double gen5_x16 = 32.0 * 16 * 128 / 130;

selection
best(const machine &host, std::optional<std::string> gpu = std::nullopt) {
    stripeRequest request;
    request.stripe = "best";
    request.gpuPci = std::move(gpu);
    return selectNics(host, request);
}

double
betweenNodes(cpuKind_t kind, unsigned family = 0, unsigned model = 0) {
    return peerRatesOf({kind, family, model}).betweenNodes;
}

} // namespace

TEST(PeerRates, asNcclHasThem) {
    EXPECT_EQ(betweenNodes(cpuKind_t::INTEL, 6, 0xcf), 320);
    EXPECT_EQ(betweenNodes(cpuKind_t::INTEL, 6, 0x8f), 176);
    EXPECT_EQ(betweenNodes(cpuKind_t::INTEL, 6, 0x6a), 80) << "Ice Lake counts as Skylake";
    EXPECT_EQ(betweenNodes(cpuKind_t::INTEL, 6, 0x4f), 48);
    EXPECT_EQ(betweenNodes(cpuKind_t::INTEL), 48) << "one that does not say which";
    EXPECT_EQ(betweenNodes(cpuKind_t::AMD, 25, 1), 128);
    EXPECT_EQ(betweenNodes(cpuKind_t::ZHAOXIN, 7, 0x5b), 72);
    EXPECT_EQ(betweenNodes(cpuKind_t::ZHAOXIN, 7, 1), 48);
    EXPECT_EQ(betweenNodes(cpuKind_t::POWER), 256);
    EXPECT_EQ(betweenNodes(cpuKind_t::ARM), 48);
    EXPECT_EQ(betweenNodes(cpuKind_t::UNKNOWN), peerRates::unlimited);
}

TEST(CpuType, ofModalias) {
    const cpuType intel = cpuFromModalias("cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001");
    EXPECT_EQ(intel.kind, cpuKind_t::INTEL);
    EXPECT_EQ(intel.family, 6U);
    EXPECT_EQ(intel.model, 0x8fU);
    EXPECT_EQ(cpuFromModalias("cpu:type:x86,ven0002fam0019mod0001:feature:").kind, cpuKind_t::AMD);
    EXPECT_EQ(cpuFromModalias("cpu:type:aarch64:feature:,0000").kind, cpuKind_t::ARM);
    for (const char *text : {"",
                             "cpu:type:x86",
                             "cpu:type:x86,",
                             "cpu:type:x86,ven0000fam0006mod",
                             "cpu:type:x86,ven00",
                             "cpu:type:x86,venXXXXfam0006mod008F:",
                             "cpu:type:x86,feature:ven0000fam0006mod008F",
                             "cpu:type:s390"}) {
        EXPECT_EQ(cpuFromModalias(text).kind, cpuKind_t::UNKNOWN) << text;
    }
    EXPECT_EQ(cpuFromModalias("cpu:type:x86,ven0005fam0006mod0001:").kind, cpuKind_t::UNKNOWN);
}

TEST(CpuType, ofWords) {
    EXPECT_EQ(cpuFromWords("x86_64", "GenuineIntel", "6", "143").model, 143U);
    EXPECT_EQ(cpuFromWords("x86_64", "AuthenticAMD", "25", "1").kind, cpuKind_t::AMD);
    EXPECT_EQ(cpuFromWords("x86_64", "  Shanghai  ", "7", "91").kind, cpuKind_t::ZHAOXIN);
    EXPECT_EQ(cpuFromWords("arm64", "", "", "").kind, cpuKind_t::ARM);
    EXPECT_EQ(cpuFromWords("ppc64le", "", "", "").kind, cpuKind_t::POWER);
    EXPECT_EQ(cpuFromWords("x86_64", "", "6", "143").kind, cpuKind_t::UNKNOWN);
    EXPECT_EQ(cpuFromWords("x86_64", "GenuineIntel", "99999999", "-1").family, 0U);
}

TEST(Best, theNearNicAlone) {
    const machine host = switchedHost(4, 1, 1);
    EXPECT_EQ(best(host, first_gpu).devices, names{"mlx5_0:1"});
    const names all = {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"};
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_0:1", "mlx5_1:1"}, first_gpu), 140);
    EXPECT_DOUBLE_EQ(*evenGbps(host, all, first_gpu), 280);
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_1:1"}, first_gpu), 234);
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_1:1", "mlx5_2:1"}, first_gpu), 234);
}

TEST(Best, hostMemoryPaysNoHostBridge) {
    machine host = switchedHost(4, 1, 1);
    const names all = {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"};
    const selection chosen = best(host);
    EXPECT_EQ(chosen.devices, all);
    ASSERT_EQ(chosen.warnings.size(), 1U);
    expectIn("no GPU is known", chosen.warnings[0]);
    EXPECT_DOUBLE_EQ(*evenGbps(host, all), 1600);
    host.gpus.clear();
    EXPECT_TRUE(best(host).warnings.empty());
}

TEST(Best, aSuperchipsGpuIsAsHostMemory) {
    machine host = switchedHost(4, 1, 1);
    host.pci.at(first_gpu).vendor = 0x10de;
    host.pci.at(first_gpu).device = 0x2941;
    EXPECT_EQ(best(host, first_gpu).devices.size(), 4U);
}

TEST(Best, oneOfTwoThatShareALink) {
    // 400 + 400 behind a link of 504 that host memory takes, and a NIC with a link of its own:
    // divided evenly, three carry 756 and two of different switches 800.
    hostBuilder builder;
    builder.bridge("0000:10:01.0", "", "pci0000:10").bridge("0000:11:00.0", "0000:10:01.0");
    builder.nic("mlx5_0", "0000:12:00.0", "0000:11:00.0", 0);
    builder.nic("mlx5_1", "0000:13:00.0", "0000:11:00.0", 0);
    builder.bridge("0000:20:01.0", "", "pci0000:20");
    builder.nic("mlx5_2", "0000:21:00.0", "0000:20:01.0", 0);
    const machine host = builder.build();
    const selection chosen = best(host);
    EXPECT_EQ(chosen.devices, (names{"mlx5_0:1", "mlx5_2:1"}));
    EXPECT_EQ(chosen.excluded.at("mlx5_1"),
              "host memory: the set carries 800 Gbit/s without it and 756 with it");
    EXPECT_EQ(chosen.excludedBy.at("mlx5_1"), "policy");
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}), 1.5 * gen5_x16);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}), 400 + gen5_x16);
}

TEST(Best, gpusOfOneSwitchDoNotAllTakeItsFirstNic) {
    machine host = switchedHost(2, 2, 2);
    for (auto &[address, node] : host.pci) {
        node.linkGtps = 16; // a GPU's link carries less than one NIC
    }
    EXPECT_EQ(best(host, first_gpu).devices, names{"mlx5_0:1"});
    EXPECT_EQ(best(host, "0000:14:00.0").devices, names{"mlx5_1:1"});
}

TEST(Best, theLinkBetweenNodesCounts) {
    machine host = switchedHost(2, 1, 1);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_1:1"}, first_gpu), 234);
    host.cpu = {cpuKind_t::INTEL, 6, 0x55};
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_1:1"}, first_gpu), 80);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_1:1"}), 400);
    EXPECT_DOUBLE_EQ(*ceilingGbps(host, {"mlx5_0:1"}, first_gpu), 400);
}

TEST(Best, whereTheMachineDoesNotSayHowTheyAreJoinedNothingIsPaid) {
    hostBuilder builder; // a virtual machine that has everything on root buses
    builder.gpuAt("0001:00:00.0", "", unknown_numa);
    builder.nic("mlx5_0", "0002:00:00.0", "", unknown_numa, 200);
    builder.nic("mlx5_1", "0003:00:00.0", "", unknown_numa, 200);
    EXPECT_EQ(best(builder.build(), "0001:00:00.0").devices, (names{"mlx5_0:1", "mlx5_1:1"}));
    // Emulated root ports, one a device, say no more; with a NIC beside the GPU they do.
    hostBuilder emulated;
    emulated.bridge("0000:00:01.0", "", "pci0000:00").bridge("0000:00:02.0", "", "pci0000:00");
    emulated.gpuAt("0000:01:00.0", "0000:00:01.0", 0);
    emulated.nic("mlx5_0", "0000:02:00.0", "0000:00:02.0", 0);
    machine host = emulated.build();
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_0:1"}, "0000:01:00.0"), 234);
    for (const char *port : {"0000:00:01.0", "0000:00:02.0"}) {
        host.pci.at(port).vendor = 0x1b36;
        host.pci.at(port).device = 0x000c;
    }
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_0:1"}, "0000:01:00.0"), 400);
}

TEST(Best, ratesThatNobodyKnowsLeaveAllNics) {
    EXPECT_EQ(best(plainHost(4, 0)).devices.size(), 4U);
    EXPECT_FALSE(evenGbps(plainHost(4, 0), {"mlx5_0:1"}).has_value());
    EXPECT_EQ(*evenGbps(plainHost(4), {}), 0);
}

TEST(Best, ofNicsWithoutARateAsManyAsTheirLinksCarry) {
    machine host = switchedHost(2, 1, 4);
    EXPECT_EQ(best(host, first_gpu).devices.size(), 2U) << "of 400 Gbit/s, behind one link of 504";
    for (rdmaNic &each : host.nics) {
        each.ports[0].rateGbps = 0;
    }
    EXPECT_EQ(best(host, first_gpu).devices,
              (names{"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"}));
}

TEST(Best, namedGpusHaveToBeThere) {
    const machine host = switchedHost(2, 1, 1);
    EXPECT_FALSE(needsGpu("best"));
    expectIn("stripe_gpu='0000:99:00.0'", textOfError([&] { best(host, "0000:99:00.0"); }));
}

TEST(Best, manyNicsTakeNoLongerThanASearchOfTheNearest) {
    hostBuilder builder;
    for (unsigned i = 0; i < 300; ++i) {
        builder.nic("mlx5_" + std::to_string(i), "", "", 0, 400);
    }
    const selection chosen = best(builder.build());
    EXPECT_EQ(chosen.devices.size(), 64U);
    EXPECT_EQ(chosen.excluded.size(), 236U);
}
