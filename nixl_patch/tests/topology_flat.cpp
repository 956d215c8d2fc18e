// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** The quick answer to "is affinity the same for all pairs" against the one that asks them all. */
#include "topology/distance.h"
#include "topology/flat.h"
#include "topology/normalize.h"

#include <algorithm>
#include <cstddef>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace nixlStripe;

bool
allPairsAreSame(const machine &host) {
    const affinity first = affinityBetween(host, host.gpus.front(), host.nics.front());
    for (const gpu &each : host.gpus) {
        for (const rdmaNic &nic : host.nics) {
            const affinity other = affinityBetween(host, each, nic);
            if (isNearer(first, other) || isNearer(other, first)) {
                return false;
            }
        }
    }
    return true;
}

/** A small random tree of bridges with devices anywhere in it, some outside of it. */
machine
randomHost(std::mt19937 &random) {
    const auto below = [&random](unsigned count) {
        return static_cast<unsigned>(random() % count);
    };
    machine host;
    std::vector<std::string> names{""};
    const unsigned functions = 1 + below(7);
    const unsigned shape = below(3); // how often functions share a parent
    for (unsigned i = 0; i < functions; ++i) {
        pciNode node;
        node.address = "f" + std::to_string(i);
        node.parent = names[shape == 0 ? below(static_cast<unsigned>(names.size()))
                                       : below(std::min<unsigned>(shape, i + 1))];
        node.root = below(4) == 0 ? "" : "pci0000:0" + std::to_string(below(shape + 1));
        node.isWholeSwitch = below(3) == 0;
        host.pci[node.address] = node;
        names.push_back(node.address);
    }
    const auto place = [&] { return below(6) == 0 ? "none" : names[1 + below(functions)]; };
    for (unsigned i = 0; i <= below(3); ++i) {
        gpu each;
        each.pci = place();
        host.gpus.push_back(each);
    }
    for (unsigned i = 0; i <= below(3); ++i) {
        rdmaNic nic;
        nic.name = "mlx5_" + std::to_string(i);
        nic.pci = place();
        host.nics.push_back(nic);
    }
    if (below(4) == 0) {
        host.numaNodes = {0, 1};
    }
    return host;
}

TEST(flat, isWhatAllPairsSay) {
    std::mt19937 random(7);
    unsigned flat = 0;
    constexpr unsigned tries = 20000;
    for (unsigned i = 0; i < tries; ++i) {
        machine host = randomHost(random);
        normalize(host);
        ASSERT_EQ(host.isFlat, allPairsAreSame(host)) << "machine " << i;
        flat += host.isFlat ? 1U : 0U;
    }
    EXPECT_GT(flat, tries / 10); // both answers were asked for
    EXPECT_LT(flat, tries * 9 / 10);
}

TEST(flat, neverWithANumaNodeOrWithoutDevices) {
    machine host;
    EXPECT_FALSE(isFlatMachine(host));
    host.gpus.emplace_back();
    EXPECT_FALSE(isFlatMachine(host));
    host.nics.emplace_back();
    EXPECT_TRUE(isFlatMachine(host));
    host.nics.front().numaNode = 0;
    EXPECT_FALSE(isFlatMachine(host));
}

TEST(affinities, areThoseOfThePairs) {
    std::mt19937 random(11);
    for (unsigned i = 0; i < 500; ++i) {
        machine host = randomHost(random);
        normalize(host);
        std::vector<const gpu *> gpus;
        std::vector<const rdmaNic *> nics;
        for (const gpu &each : host.gpus) {
            gpus.push_back(&each);
        }
        for (const rdmaNic &each : host.nics) {
            nics.push_back(&each);
        }
        const affinities between(host, gpus, nics);
        for (std::size_t a = 0; a < gpus.size(); ++a) {
            for (std::size_t b = 0; b < nics.size(); ++b) {
                const affinity one = between.of(a, b);
                const affinity other = affinityBetween(host, *gpus[a], *nics[b]);
                EXPECT_EQ(one.distance, other.distance);
                EXPECT_EQ(one.commonDepth, other.commonDepth);
            }
        }
    }
}

} // namespace
