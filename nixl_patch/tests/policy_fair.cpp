// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "policy/fair.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

std::map<std::string, std::vector<std::string>>
shares(const machine &host) {
    const usableNics usable = findUsable(host, {});
    std::map<std::string, std::vector<std::string>> result;
    for (const auto &[address, share] : dealNics(host, usable.ports)) {
        for (const std::size_t index : share) {
            result[address].push_back(usable.ports[index].nic->name);
        }
    }
    return result;
}

using names = std::vector<std::string>;

} // namespace

TEST(Fair, fourNicsBehindEachSwitchStayThere) {
    const machine host = switchedHost(8, 1, 4);
    const auto dealt = shares(host);
    ASSERT_EQ(dealt.size(), 8U);
    unsigned next = 0;
    for (const auto &[address, share] : dealt) {
        names expected;
        for (unsigned k = 0; k < 4; ++k) {
            expected.push_back("mlx5_" + std::to_string(next++));
        }
        EXPECT_EQ(share, expected) << address;
    }
}

TEST(Fair, twoGpusOfASwitchShareItsNicWhenThereAreTooFew) {
    const machine host = switchedHost(4, 2, 1);
    unsigned index = 0;
    for (const auto &[address, share] : shares(host)) {
        EXPECT_EQ(share, names{"mlx5_" + std::to_string(index / 2)}) << address;
        ++index;
    }
}

TEST(Fair, unevenCountsDifferByOne) {
    for (unsigned nics = 1; nics < 6; ++nics) {
        const machine host = switchedHost(3, 1, nics);
        machine some = host;
        some.gpus.pop_back();
        std::size_t least = 99;
        std::size_t most = 0;
        std::size_t total = 0;
        for (const auto &[address, share] : shares(some)) {
            least = std::min(least, share.size());
            most = std::max(most, share.size());
            total += share.size();
        }
        EXPECT_EQ(total, some.nics.size());
        EXPECT_LE(most - least, 1U);
    }
}

TEST(Fair, theNearerGpuChoosesFirst) {
    // By address the first GPU would take mlx5_0, which is the other one's own.
    hostBuilder builder;
    builder.bridge("0000:10:00.0", "", "pci0000:10").bridge("0000:20:00.0", "", "pci0000:20");
    builder.gpuAt("0000:11:00.0", "0000:10:00.0", 0).gpuAt("0000:21:00.0", "0000:20:00.0", 1);
    builder.nic("mlx5_0", "0000:22:00.0", "0000:20:00.0", 1);
    builder.nic("mlx5_1", "0000:22:00.1", "0000:20:00.0", 1);
    const auto dealt = shares(builder.build());
    EXPECT_EQ(dealt.at("0000:11:00.0"), names{"mlx5_1"});
    EXPECT_EQ(dealt.at("0000:21:00.0"), names{"mlx5_0"});
}

TEST(Fair, flatMachinesAreDealtInNaturalOrder) {
    hostBuilder builder;
    for (int i = 0; i < 2; ++i) {
        builder.gpuAt("0000:00:0" + std::to_string(8 + i) + ".0", "", unknown_numa);
    }
    for (const char *name : {"mlx5_10", "mlx5_2", "mlx5_1", "mlx5_3"}) {
        builder.nic(name, "", "", unknown_numa);
    }
    const auto dealt = shares(builder.build());
    EXPECT_EQ(dealt.at("0000:00:08.0"), (names{"mlx5_1", "mlx5_3"}));
    EXPECT_EQ(dealt.at("0000:00:09.0"), (names{"mlx5_2", "mlx5_10"}));
}

TEST(Fair, noGpuOrNoNicGivesNoShares) {
    EXPECT_TRUE(shares(plainHost(4)).empty());
    EXPECT_TRUE(shares(switchedHost(2, 1, 0)).empty());
}

TEST(Fair, foreignDisplayAdaptersTakeNoNics) {
    hostBuilder builder;
    builder.gpuAt("0000:03:00.0", "", 0, gpuVendor_t::OTHER).gpuAt("0000:04:00.0", "", 0);
    const machine host = builder.nic("mlx5_0", "", "", 0).build();
    EXPECT_EQ(shares(host).count("0000:03:00.0"), 0U);
    EXPECT_EQ(shares(host).at("0000:04:00.0"), names{"mlx5_0"});
}
