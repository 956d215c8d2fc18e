// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Which source a NIC gets in trees of sysfs of several drivers, and what is said with none.
#include "counters/sources.h"
#include "tests/sysfs_tree.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    class countersSources : public ::testing::Test {
    protected:
        sysfsTree tree;
        const std::string port = "class/infiniband/mlx5_0/ports/1/";

        void
        words(const std::string &nic, unsigned out, unsigned in) {
            const std::string where = "class/infiniband/" + nic + "/ports/1/";
            tree.file(where + "state", "4: ACTIVE\n");
            tree.file(where + "counters/port_xmit_data", std::to_string(out) + "\n");
            tree.file(where + "counters/port_rcv_data", std::to_string(in) + "\n");
        }

        void
        softRoce() {
            tree.file("class/infiniband/rxe0/parent", "rail0\n");
            tree.file("class/infiniband/rxe0/ports/1/state", "4: ACTIVE\n");
            tree.file("class/infiniband/rxe0/ports/1/hw_counters/sent_pkts", "7\n");
            tree.file("class/net/rail0/statistics/tx_bytes", "70\n");
            tree.file("class/net/rail0/statistics/rx_bytes", "5\n");
            tree.file("class/net/rail0/operstate", "up\n");
        }
    };

} // namespace

TEST_F(countersSources, wordsOfAPortComeFirst) {
    words("mlx5_0", 100, 7);
    tree.file(port + "hw_counters/tx_bytes", "1");
    tree.file(port + "hw_counters/rx_bytes", "1");
    tree.file(port + "hw_counters/out_of_buffer", "3");
    const counterHost host(tree.root());
    const sourceAnswer best = host.best("mlx5_0");
    ASSERT_TRUE(best.source) << best.reason;
    EXPECT_EQ(best.source->info().name, "sysfs");
    EXPECT_EQ(best.source->info().unit, 4U);
    EXPECT_EQ(best.source->info().kind, evidence_t::COUNTED);
    EXPECT_NE(best.source->info().blind, "");
    const nicReading before = best.source->read();
    words("mlx5_0", 110, 8);
    const nicGain gain = gainBetween(best.source->info(), before, best.source->read());
    EXPECT_EQ(gain.bytesOut, 40U);
    EXPECT_EQ(gain.bytesIn, 4U);
    EXPECT_EQ(before.discards, (view_t{3}));
}

TEST_F(countersSources, driversOwnCountersComeNext) {
    tree.file(port + "state", "4: ACTIVE");
    for (const char *name :
         {"rdma_write_bytes", "send_bytes", "rdma_read_bytes", "tx_bytes", "rx_bytes"}) {
        tree.file(port + "hw_counters/" + name, "10");
    }
    const counterHost host(tree.root());
    const sourceAnswer best = host.best("mlx5_0:1");
    ASSERT_TRUE(best.source) << best.reason;
    EXPECT_EQ(best.source->info().name, "hw_counters");
    const nicReading before = best.source->read();
    tree.file(port + "hw_counters/rdma_write_bytes", "4010");
    tree.file(port + "hw_counters/tx_bytes", "4110");
    const nicGain gain = gainBetween(best.source->info(), before, best.source->read());
    EXPECT_EQ(gain.bytesOut, 4100U);
}

TEST_F(countersSources, theInterfaceBelowCountsForSoftRoceOnly) {
    softRoce();
    const counterHost host(tree.root());
    const sourceAnswer best = host.best("rxe0");
    ASSERT_TRUE(best.source) << best.reason;
    EXPECT_EQ(best.source->info().name, "netdev");
    EXPECT_EQ(best.source->info().where, "statistics of rail0");
    EXPECT_EQ(best.source->read().out, (std::vector<view_t>{{70}}));
}

TEST_F(countersSources, hardwaresInterfaceMissesWhatTheHardwareMoves_badFlow) {
    tree.file(port + "state", "4: ACTIVE");
    tree.file(port + "gid_attrs/ndevs/0", "eth0");
    tree.file("class/infiniband/mlx5_0/device/vendor", "0x15b3");
    tree.file("class/net/eth0/statistics/tx_bytes", "1");
    tree.file("class/net/eth0/statistics/rx_bytes", "1");
    const sourceAnswer best = counterHost(tree.root()).best("mlx5_0");
    EXPECT_FALSE(best.source);
    EXPECT_NE(best.reason.find("miss what its hardware moves"), std::string::npos) << best.reason;
}

TEST_F(countersSources, everySourceAnswersOrSaysWhyNot) {
    softRoce();
    const auto answers = counterHost(tree.root()).sources("rxe0");
    ASSERT_EQ(answers.size(), 6U);
    for (const sourceAnswer &answer : answers) {
        EXPECT_EQ(answer.source == nullptr, !answer.reason.empty()) << answer.reason;
    }
}

TEST_F(countersSources, namesThatAreNoDevices_badFlow) {
    words("mlx5_0", 0, 0);
    tree.file("class/net/eth0/statistics/tx_bytes", "0");
    const counterHost host(tree.root());
    EXPECT_EQ(host.best("mlx5_9").reason,
              "NIC 'mlx5_9': no such device in " + tree.root() + "; it has eth0, mlx5_0");
    EXPECT_EQ(host.best("mlx5_0:3").reason, "NIC 'mlx5_0:3': it has no port 3");
    for (const char *bad : {"", ":", "..", "../net/eth0", "mlx5_0:", "mlx5_0:x", "/"}) {
        const bool whole = std::string(bad) == "mlx5_0:"; // as all ports
        EXPECT_EQ(host.best(bad).source != nullptr, whole) << bad;
        EXPECT_EQ(host.isUp(bad), whole) << bad;
    }
}

TEST_F(countersSources, devicesInNaturalOrderElseInterfaces) {
    for (const char *name : {"lo", "eth10", "eth2"}) {
        tree.file(std::string("class/net/") + name + "/statistics/tx_bytes", "0");
    }
    const counterHost host(tree.root());
    EXPECT_EQ(host.nics(), (std::vector<std::string>{"eth2", "eth10"}));
    words("mlx5_10", 0, 0);
    words("mlx5_9", 0, 0);
    EXPECT_EQ(host.nics(), (std::vector<std::string>{"mlx5_9", "mlx5_10"}));
}

TEST_F(countersSources, upIsAnyActivePortOrACarrier) {
    softRoce();
    words("mlx5_0", 0, 0);
    tree.file("class/infiniband/mlx5_0/ports/2/state", "1: DOWN");
    const counterHost host(tree.root());
    EXPECT_TRUE(host.isUp("mlx5_0"));
    EXPECT_TRUE(host.isUp("mlx5_0:1"));
    EXPECT_FALSE(host.isUp("mlx5_0:2"));
    EXPECT_TRUE(host.isUp("rail0"));
    tree.file("class/net/rail0/operstate", "down");
    EXPECT_FALSE(host.isUp("rail0"));
    EXPECT_FALSE(host.isUp("eth7"));
}

TEST(countersLive, thisMachinesInterfacesAreReadWithoutSysfs) {
    const sourceAnswer best = counterHost().best("lo");
    ASSERT_TRUE(best.source) << best.reason;
    EXPECT_EQ(best.source->info().name, "netdev");
    EXPECT_EQ(gainBetween(best.source->info(), best.source->read(), best.source->read()).problem,
              "");
}

} // namespace nixlStripe
