// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "hosts.h"
#include "ucx/forecast.h"
#include "ucx/settings.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <stdexcept>

namespace nixlStripe {
namespace {

    using settings_t = std::map<std::string, std::string>;

    /** Ports mlx5_0, mlx5_1, ... of 100 Gbit/s at the given distances to a current GPU. */
    laneEnd
    endWith(const std::vector<ucxDistance_t> &distances, settings_t settings) {
        laneEnd end;
        for (std::size_t i = 0; i < distances.size(); ++i) {
            lanePort each;
            each.device = "mlx5_" + std::to_string(i) + ":1";
            each.bandwidth = 12.2e9;
            each.path = {distances[i], 6};
            end.ports.push_back(each);
        }
        end.settings = std::move(settings);
        end.isGpuMemory = true;
        end.hasContext = true;
        return end;
    }

    const std::vector<ucxDistance_t> two_far = {
        ucxDistance_t::NODE, ucxDistance_t::NODE, ucxDistance_t::SYS, ucxDistance_t::SYS};
    const settings_t stock = {{"MAX_RMA_RAILS", "2"}, {"MAX_HCA_PER_GPU", "auto"}};
    const settings_t cure = {
        {"MAX_RMA_RAILS", "4"}, {"MAX_HCA_PER_GPU", "inf"}, {"DISTANCE_BW", "1000GBs"}};

    settings_t
    without(const char *key) {
        settings_t rest = cure;
        rest[key] = stock.count(key) != 0 ? stock.at(key) : "";
        return rest;
    }

    std::map<std::string, double>
    sharesOf(const laneForecast &found) {
        std::map<std::string, double> shares;
        for (const auto &lane : found.lanes) {
            shares[lane.device] = lane.share;
        }
        return shares;
    }

    laneForecast
    alike(const laneEnd &end) {
        return forecastLanes(end, end, rmaOp_t::WRITE);
    }

    TEST(Forecast, all_settings_spread_evenly) {
        const laneForecast found = alike(endWith(two_far, cure));
        EXPECT_EQ(found.protocol, "zero-copy");
        EXPECT_EQ(found.lanes.size(), 4U);
        for (const auto &lane : found.lanes) {
            EXPECT_DOUBLE_EQ(lane.share, 0.25);
            EXPECT_EQ(lane.device, lane.peer);
        }
        EXPECT_TRUE(found.dropped.empty());
    }

    TEST(Forecast, each_setting_is_needed_bad_flow) {
        for (const char *key : {"MAX_RMA_RAILS", "MAX_HCA_PER_GPU", "DISTANCE_BW"}) {
            const laneForecast found = alike(endWith(two_far, without(key)));
            const std::map<std::string, double> two = {{"mlx5_0:1", 0.5}, {"mlx5_1:1", 0.5}};
            EXPECT_EQ(sharesOf(found), two) << key;
            EXPECT_EQ(found.dropped.count("mlx5_3:1"), 1U) << key;
        }
    }

    TEST(Forecast, says_which_rule_and_number_drops_a_nic) {
        EXPECT_EQ(alike(endWith(two_far, without("DISTANCE_BW"))).dropped.at("mlx5_2:1"),
                  "wire-up: 220 MiB/s (sys) to the initiator's GPU, the fastest lane has 11.4 "
                  "GiB/s, over MULTI_LANE_MAX_RATIO=4 times as much");
        EXPECT_EQ(alike(endWith(two_far, without("MAX_RMA_RAILS"))).dropped.at("mlx5_2:1"),
                  "rails: MAX_RMA_RAILS=2 devices an operation");
        EXPECT_EQ(alike(endWith(two_far, without("MAX_HCA_PER_GPU"))).dropped.at("mlx5_2:1"),
                  "registration: MAX_HCA_PER_GPU=auto at the target registers GPU memory on 2 "
                  "nearer NIC(s) only");
    }

    TEST(Forecast, settings_at_one_end_are_not_enough) {
        const laneEnd with = endWith(two_far, cure);
        const laneEnd bare = endWith(two_far, stock);
        EXPECT_EQ(forecastLanes(with, bare, rmaOp_t::READ).lanes.size(), 2U);
        EXPECT_EQ(forecastLanes(bare, with, rmaOp_t::READ).lanes.size(), 2U);
    }

    TEST(Forecast, without_a_context_the_protocol_drops_the_far_ones) {
        laneEnd end = endWith(two_far, without("DISTANCE_BW"));
        end.hasContext = false;
        const laneForecast found = alike(end);
        EXPECT_EQ(found.lanes.size(), 2U);
        EXPECT_EQ(found.dropped.at("mlx5_2:1").substr(0, 9), "protocol:");
    }

    TEST(Forecast, host_memory_uses_all_unless_a_context_is_current) {
        laneEnd end = endWith(two_far, {{"MAX_RMA_RAILS", "4"}});
        end.isGpuMemory = false;
        end.hasContext = false;
        EXPECT_EQ(alike(end).lanes.size(), 4U);
        end.hasContext = true;
        EXPECT_EQ(alike(end).lanes.size(), 2U);
    }

    /** Each NIC in a network of its own, so that it meets the peer's NIC of the same number. */
    void
    separate(laneEnd &end) {
        for (std::size_t i = 0; i < end.ports.size(); ++i) {
            end.ports[i].subnets = {"10.0." + std::to_string(i) + ".0/24"};
        }
    }

    laneEnd
    otherNode(const settings_t &settings) {
        return endWith({two_far[2], two_far[3], two_far[0], two_far[1]}, settings);
    }

    TEST(Forecast, near_nics_of_both_ends_meet_where_all_can) {
        const laneForecast found =
            forecastLanes(endWith(two_far, stock), otherNode(stock), rmaOp_t::READ);
        EXPECT_EQ(found.protocol, "zero-copy");
        ASSERT_EQ(found.lanes.size(), 2U);
        EXPECT_EQ(found.lanes.front().device, "mlx5_0:1");
        EXPECT_EQ(found.lanes.front().peer, "mlx5_2:1");
    }

    TEST(Forecast, tcp_beside_far_nics_leaves_no_rdma) {
        laneEnd here = endWith(two_far, stock);
        laneEnd there = otherNode(stock);
        separate(here);
        separate(there);
        lanePort tcp;
        tcp.device = "eth0";
        tcp.isRdma = false;
        tcp.bandwidth = 2200.0 * (1 << 20);
        here.ports.push_back(tcp);
        there.ports.push_back(tcp);
        const laneForecast found = forecastLanes(here, there, rmaOp_t::READ);
        EXPECT_EQ(found.protocol, "software emulation");
        ASSERT_EQ(found.lanes.size(), 1U);
        EXPECT_EQ(found.lanes.front().device, "mlx5_0:1");
        EXPECT_DOUBLE_EQ(found.lanes.front().share, 1);
        here.settings["TLS"] = there.settings["TLS"] = "rc,cuda_copy";
        here.settings["MAX_HCA_PER_GPU"] = there.settings["MAX_HCA_PER_GPU"] = "inf";
        EXPECT_EQ(forecastLanes(here, there, rmaOp_t::READ).protocol, "zero-copy");
    }

    TEST(Forecast, shares_follow_the_distance_where_it_is_slower_than_the_nic) {
        settings_t slow = cure;
        slow["DISTANCE_BW"] = "4000MBs";
        const laneForecast found = alike(endWith(
            {ucxDistance_t::NEAR, ucxDistance_t::NEAR, ucxDistance_t::SYS, ucxDistance_t::SYS},
            slow));
        ASSERT_EQ(found.lanes.size(), 4U);
        EXPECT_NEAR(found.lanes[0].share, 0.37, 0.01);
        EXPECT_NEAR(found.lanes[3].share, 0.13, 0.01);
    }

    TEST(Forecast, only_named_devices_are_opened) {
        settings_t named = cure;
        named["NET_DEVICES"] = "mlx5_1:1,mlx5_3";
        const laneForecast found = alike(endWith(two_far, named));
        EXPECT_EQ(sharesOf(found),
                  (std::map<std::string, double>{{"mlx5_1:1", 0.5}, {"mlx5_3:1", 0.5}}));
        EXPECT_EQ(found.dropped.at("mlx5_0:1"), "not opened: not in NET_DEVICES");
    }

    TEST(Forecast, nics_of_other_networks_do_not_meet) {
        laneEnd here = endWith(two_far, cure);
        laneEnd there = here;
        separate(here);
        for (std::size_t i = 0; i < here.ports.size(); ++i) {
            there.ports[i].subnets = {"10.0." + std::to_string(i + 1) + ".0/24"};
        }
        const laneForecast found = forecastLanes(here, there, rmaOp_t::WRITE);
        ASSERT_EQ(found.lanes.size(), 3U);
        EXPECT_EQ(found.lanes.front().device, "mlx5_1:1");
        EXPECT_EQ(found.lanes.front().peer, "mlx5_0:1");
        EXPECT_EQ(found.dropped.at("mlx5_0:1"),
                  "no device of the target that it could reach is left");
    }

    TEST(Forecast, more_than_16_devices_are_cut_off) {
        settings_t many = cure;
        many["MAX_RMA_RAILS"] = "32";
        const std::vector<ucxDistance_t> near(20, ucxDistance_t::NEAR);
        EXPECT_EQ(alike(endWith(near, many)).lanes.size(), 16U);
        many["MAX_COMPONENT_MDS"] = "20";
        EXPECT_EQ(alike(endWith(near, many)).lanes.size(), 20U);
    }

    TEST(Forecast, single_net_device_undoes_it) {
        settings_t single = cure;
        single["SINGLE_NET_DEVICE"] = "y";
        EXPECT_EQ(alike(endWith(two_far, single)).lanes.size(), 1U);
    }

    /** Measured, four even NICs: docs/why-two-nics.md. */
    TEST(Forecast, small_buffers_are_not_cut) {
        const laneEnd end = endWith(two_far, cure);
        const auto at = [&](std::uint64_t size) {
            std::vector<double> shares;
            for (const auto &lane : forecastLanes(end, end, rmaOp_t::WRITE, size).lanes) {
                shares.push_back(lane.share);
            }
            return shares;
        };
        EXPECT_EQ(at(8000), (std::vector<double>{1, 0, 0, 0}));
        EXPECT_EQ(at(8192), (std::vector<double>{.25, .75, 0, 0}));
        EXPECT_EQ(at(16384), (std::vector<double>{.25, .75, 0, 0}));
        EXPECT_EQ(at(24576), (std::vector<double>{.25, .25, .5, 0}));
        EXPECT_EQ(at(40960), (std::vector<double>{.25, .25, .5, 0}));
        EXPECT_EQ(at(49152), (std::vector<double>{.25, .25, .25, .25}));
    }

    TEST(Forecast, tcp_writes_host_memory_and_pipelines_gpu_memory) {
        laneEnd end;
        for (const char *name : {"r0", "r1", "r2", "r3"}) {
            lanePort each;
            each.device = name;
            each.isRdma = false;
            each.bandwidth = 1e9;
            end.ports.push_back(each);
        }
        end.settings = {{"MAX_RMA_RAILS", "4"}};
        EXPECT_EQ(alike(end).lanes.size(), 4U);
        const laneForecast read = forecastLanes(end, end, rmaOp_t::READ);
        EXPECT_EQ(read.protocol, "software emulation");
        EXPECT_EQ(read.lanes.size(), 1U);
        end.isGpuMemory = true;
        EXPECT_EQ(alike(end).protocol, "software emulation");
        end.settings["RMA_PPLN_ENABLE"] = "y";
        end.settings["MAX_RNDV_RAILS"] = "3";
        EXPECT_EQ(alike(end).protocol, "pipeline");
        EXPECT_EQ(alike(end).lanes.size(), 3U);
    }

    TEST(Forecast, nothing_to_forecast_bad_flow) {
        const laneEnd empty;
        EXPECT_THROW(forecastLanes(empty, empty, rmaOp_t::READ), std::invalid_argument);
    }

    TEST(LanePorts, are_those_that_ucx_could_open) {
        machine host = switchedHost(2, 1, 2);
        host.nics[1].ports[0].state = portState_t::DOWN;
        netInterface up;
        up.name = "eth0";
        up.up = true;
        netInterface down = up;
        down.name = "eth1";
        down.up = false;
        netInterface loop = up;
        loop.name = "lo";
        loop.kind = netKind_t::LOOPBACK;
        host.netInterfaces = {up, down, loop};
        const auto ports = lanePorts(host, host.gpus.front().pci);
        ASSERT_EQ(ports.size(), 4U);
        EXPECT_EQ(ports[0].device, "mlx5_0:1");
        EXPECT_EQ(ports[0].path.distance, ucxDistance_t::NEAR);
        EXPECT_EQ(ports[1].device, "mlx5_2:1");
        EXPECT_EQ(ports[1].path.distance, ucxDistance_t::SYS);
        EXPECT_EQ(ports[3].device, "eth0");
        EXPECT_FALSE(ports[3].isRdma);
    }

    TEST(Forecast, chunks_have_every_unit_of_ucx) {
        for (const char *large : {"1g", "1G", "1gb", "1t", "1024m", "inf"}) {
            settings_t settings = cure;
            settings["MIN_RMA_CHUNK_SIZE"] = large;
            const laneEnd end = endWith(two_far, settings);
            const auto found = forecastLanes(end, end, rmaOp_t::WRITE, 1 << 26);
            ASSERT_EQ(found.lanes.size(), 4U) << large;
            EXPECT_EQ(found.lanes.front().share, 1) << large << ": UCX does not cut 64 MiB then";
        }
        settings_t small = cure;
        small["MIN_RMA_CHUNK_SIZE"] = "1k";
        const laneEnd end = endWith(two_far, small);
        EXPECT_NEAR(forecastLanes(end, end, rmaOp_t::WRITE, 1 << 26).lanes.front().share, .25, .01);
    }

    TEST(Forecast, lists_are_read_as_ucx_reads_them) {
        const auto lanes = [](const char *key, const char *value) {
            settings_t settings = cure;
            settings[key] = value;
            return alike(endWith(two_far, settings)).lanes.size();
        };
        EXPECT_EQ(lanes("NET_DEVICES", "mlx5_0:1,mlx5_3:1"), 2U);
        EXPECT_EQ(lanes("NET_DEVICES", "^mlx5_0:1"), 3U);
        EXPECT_EQ(lanes("NET_DEVICES", "mlx5_[0-2]:1"), 3U);
        EXPECT_EQ(lanes("NET_DEVICES", "mlx5_0:1, mlx5_3:1"), 1U) << "UCX keeps the space";
    }

    TEST(Forecast, reads_every_setting_of_a_plan) {
        for (const settingRule &rule : settingTable()) {
            const auto known =
                std::count_if(forecastSettings().begin(),
                              forecastSettings().end(),
                              [&](const auto &each) { return each.key == rule.key; });
            EXPECT_EQ(known, rule.isForLoss ? 0 : 1) << rule.key;
        }
    }

} // namespace
} // namespace nixlStripe
