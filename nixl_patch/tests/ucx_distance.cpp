// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "ucx/distance_model.h"

#include <cmath>
#include <gtest/gtest.h>
#include <stdexcept>

namespace nixlStripe {
namespace {

    constexpr double mib = 1 << 20;
    constexpr const char *gpu = "0000:12:00.0";

    /** A GPU behind a root port of pci0000:10 (node 0) and NICs at each of UCX's distances. */
    machine
    allDistances() {
        hostBuilder builder;
        builder.bridge("0000:10:01.0", "", "pci0000:10")
            .bridge("0000:10:02.0", "", "pci0000:10")
            .bridge("0000:20:01.0", "", "pci0000:20")
            .bridge("0000:30:01.0", "", "pci0000:30")
            .gpuAt(gpu, "0000:10:01.0", 0)
            .nic("near", "0000:13:00.0", "0000:10:01.0", 0)
            .nic("phb", "0000:14:00.0", "0000:10:02.0", 0)
            .nic("node", "0000:21:00.0", "0000:20:01.0", 0)
            .nic("sys", "0000:31:00.0", "0000:30:01.0", 1)
            .nic("unplaced", "", "", unknown_numa);
        return builder.build();
    }

    ucxPath
    pathTo(const std::string &name) {
        const machine host = allDistances();
        for (const rdmaNic &nic : host.nics) {
            if (nic.name == name) {
                return pathBetween(host, gpu, nic.pci);
            }
        }
        throw std::invalid_argument(name);
    }

    TEST(UcxDistance, is_told_from_the_pci_tree) {
        EXPECT_EQ(pathTo("near").distance, ucxDistance_t::NEAR);
        EXPECT_EQ(pathTo("phb").distance, ucxDistance_t::PHB);
        EXPECT_EQ(pathTo("phb").hops, 4U);
        EXPECT_EQ(pathTo("node").distance, ucxDistance_t::NODE);
        EXPECT_EQ(pathTo("sys").distance, ucxDistance_t::SYS);
        EXPECT_EQ(pathTo("unplaced").distance, ucxDistance_t::NEAR);
    }

    TEST(UcxDistance, unknown_numa_nodes_are_never_the_same) {
        hostBuilder builder;
        builder.bridge("0000:10:01.0", "", "pci0000:10")
            .bridge("0000:20:01.0", "", "pci0000:20")
            .gpuAt(gpu, "0000:10:01.0", unknown_numa)
            .nic("mlx5_0", "0000:21:00.0", "0000:20:01.0", unknown_numa);
        const machine host = builder.build();
        EXPECT_EQ(pathBetween(host, gpu, "0000:21:00.0").distance, ucxDistance_t::SYS);
    }

    TEST(UcxDistance, words_go_both_ways) {
        for (const auto each :
             {ucxDistance_t::NEAR, ucxDistance_t::PHB, ucxDistance_t::NODE, ucxDistance_t::SYS}) {
            EXPECT_EQ(distanceOfWord(distanceWord(each)), each);
        }
        EXPECT_THROW(distanceOfWord("PIX"), std::invalid_argument);
    }

    TEST(DistanceModel, has_the_bandwidths_of_ucx) {
        const distanceModel model({});
        EXPECT_TRUE(std::isinf(model.bandwidth({ucxDistance_t::NEAR, 0})));
        EXPECT_DOUBLE_EQ(model.bandwidth({ucxDistance_t::PHB, 4}), 3500 * mib);
        EXPECT_DOUBLE_EQ(model.bandwidth({ucxDistance_t::PHB, 8}), 2400 * mib);
        EXPECT_DOUBLE_EQ(model.bandwidth({ucxDistance_t::NODE, 6}), 17000 * mib);
        EXPECT_DOUBLE_EQ(model.bandwidth({ucxDistance_t::SYS, 6}), 220 * mib);
        EXPECT_DOUBLE_EQ(model.latency({ucxDistance_t::NEAR, 0}), 0);
        EXPECT_DOUBLE_EQ(model.latency({ucxDistance_t::NODE, 6}), 300e-9);
        EXPECT_DOUBLE_EQ(model.latency({ucxDistance_t::SYS, 6}), 500e-9);
    }

    distanceModel
    modelWith(const std::string &key, const std::string &value) {
        const std::map<std::string, std::string> settings = {{key, value}};
        return distanceModel(settings);
    }

    double
    sysWith(const std::string &text) {
        return modelWith("DISTANCE_BW", text).bandwidth({ucxDistance_t::SYS, 6}) / mib;
    }

    double
    phbWith(const std::string &text) {
        return modelWith("DISTANCE_BW", text).bandwidth({ucxDistance_t::PHB, 4}) / mib;
    }

    TEST(DistanceModel, takes_what_ucx_takes) {
        EXPECT_DOUBLE_EQ(sysWith("1000GBs"), 1000 * 1024);
        EXPECT_DOUBLE_EQ(phbWith("1000GBs"), 1000 * 1024);
        EXPECT_DOUBLE_EQ(sysWith("16500MBs"), 16500);
        EXPECT_DOUBLE_EQ(sysWith("8Mbps"), 1);
        EXPECT_DOUBLE_EQ(sysWith("auto,sys:16500MBs"), 16500);
        EXPECT_DOUBLE_EQ(phbWith("auto,sys:16500MBs"), 3500);
        EXPECT_DOUBLE_EQ(sysWith("phb:1MBs,node:2MBs,sys:3MBs"), 3);
    }

    TEST(DistanceModel, what_ucx_refuses_changes_nothing_bad_flow) {
        for (const char *text : {"inf",
                                 "sys:16500MBs",
                                 "nan",
                                 "-1MBs",
                                 "16500",
                                 "16500MX",
                                 "far:1MBs,auto",
                                 "",
                                 ","}) {
            EXPECT_DOUBLE_EQ(sysWith(text), 220) << text;
        }
    }

    TEST(DistanceModel, latency_can_be_set) {
        EXPECT_DOUBLE_EQ(modelWith("DISTANCE_LAT", "1us").latency({ucxDistance_t::SYS, 6}), 1e-6);
        EXPECT_DOUBLE_EQ(modelWith("DISTANCE_LAT", "soon").latency({ucxDistance_t::SYS, 6}),
                         500e-9);
    }

    TEST(DistanceModel, topo_prio_default_switches_all_off) {
        const distanceModel model = modelWith("TOPO_PRIO", "default");
        EXPECT_TRUE(std::isinf(model.bandwidth({ucxDistance_t::SYS, 6})));
        EXPECT_DOUBLE_EQ(model.latency({ucxDistance_t::SYS, 6}), 0);
    }

    TEST(PortBandwidth, is_the_wire_or_the_link) {
        hostBuilder builder;
        builder.bridge("0000:10:01.0", "", "pci0000:10")
            .nic("mlx5_0", "0000:11:00.0", "0000:10:01.0", 0, 400);
        machine host = builder.build();
        const rdmaNic nic = host.nics.front();
        const double wire = portBandwidth(host, nic, nic.ports.front());
        EXPECT_NEAR(wire, 50e9, 1e9);
        host.pci.at(nic.pci).linkWidth = 4; // of 32 GT/s
        EXPECT_LT(portBandwidth(host, nic, nic.ports.front()), 16e9);
        EXPECT_GT(portBandwidth(host, nic, nic.ports.front()), 13e9);
    }

    TEST(PortBandwidth, is_0_where_nothing_is_known_bad_flow) {
        const machine host = plainHost(1, 0);
        EXPECT_EQ(portBandwidth(host, host.nics.front(), host.nics.front().ports.front()), 0);
    }

    TEST(InterfaceBandwidth, of_an_unknown_speed_is_100_mbit) {
        netInterface each;
        each.mtu = 9000;
        EXPECT_NEAR(interfaceBandwidth(each), 12.5e6, 0.3e6);
        each.rateGbps = 10;
        EXPECT_NEAR(interfaceBandwidth(each), 1.25e9, 0.03e9);
        each.rateGbps = 400;
        EXPECT_DOUBLE_EQ(interfaceBandwidth(each), 2200 * mib);
    }

} // namespace
} // namespace nixlStripe
