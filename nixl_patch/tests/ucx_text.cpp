// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/config_text.h"
#include "ucx/devices.h"
#include "ucx/settings.h"
#include "ucx/values.h"

#include <gtest/gtest.h>
#include <stdexcept>

namespace nixlStripe {
namespace {

    using map_t = std::map<std::string, std::string>;

    TEST(ConfigText, readsUcxLines) {
        const map_t expected = {{"MAX_RMA_RAILS", "4"}, {"NET_DEVICES", "r0,r1:1"}, {"EMPTY", ""}};
        EXPECT_EQ(parseConfigText("#\n# title\nUCX_MAX_RMA_RAILS=4\nnoise=1\nUCX_BROKEN\nUCX_=x\n"
                                  "UCX_NET_DEVICES=r0,r1:1 \nUCX_EMPTY=\n"),
                  expected);
        EXPECT_TRUE(parseConfigText("").empty());
    }

    TEST(ConfigText, readsDevicesOfAContext) {
        const std::set<std::string> expected = {"mlx5_0:1", "eth0", "memory"};
        EXPECT_EQ(
            parseContextDevices("# UCP context\n#     component 0  :  self\n"
                                "#      resource 0  :  md 0  dev 0  flags -- self/memory\n"
                                "#      resource 1  :  md 1  dev 1  flags -- rc_mlx5/mlx5_0:1\n"
                                "#      resource 2  :  md 1  dev 1  flags -A rdmacm\n"
                                "#      resource 3  :  md 2  dev 2  flags -- tcp/eth0 \n"),
            expected);
    }

    TEST(ConfigText, readsEngineConfig) {
        const map_t expected = {{"MAX_RMA_RAILS", "4"}, {"TLS", "tcp"}};
        EXPECT_EQ(parseEngineConfig(" MAX_RMA_RAILS = 3,UCX_MAX_RMA_RAILS=4,TLS=tcp,sm,"),
                  expected);
    }

    machine
    host() {
        machine result;
        rdmaNic nic;
        nic.name = "mlx5_0";
        nic.ports = {port{}, port{}};
        nic.ports[0].number = 1;
        nic.ports[0].state = portState_t::DOWN;
        nic.ports[1].number = 2;
        nic.ports[1].state = portState_t::ACTIVE;
        result.nics.push_back(nic);
        netInterface interface;
        interface.name = "r0";
        result.netInterfaces.push_back(interface);
        return result;
    }

    TEST(Values, timesAreTheSameInEveryUnit) {
        for (const char *same : {"5s", "5", "5000ms", "5000000.00us", "5.0s", "5000000000ns"}) {
            ASSERT_TRUE(ucxTime(same)) << same;
            EXPECT_DOUBLE_EQ(*ucxTime(same), 5) << same;
        }
        EXPECT_DOUBLE_EQ(ucxTime("2m").value(), 120);
        EXPECT_DOUBLE_EQ(ucxTime("0.25s").value(), 0.25);
        for (const char *none : {"", "inf", "auto", "s", "-1s", "5 s", "5k", "1.5.5s"}) {
            EXPECT_FALSE(ucxTime(none)) << none;
        }
    }

    TEST(Values, numbersAreReadToTheirEndInAnyLocale) {
        const std::map<std::string, double> sizes = {{"64", 64},
                                                     {"8k", 8192},
                                                     {"1.5K", 1536},
                                                     {"2.5e1m", 25 * 1048576.0},
                                                     {"25e-1kb", 2560},
                                                     {"1g", 1073741824.0},
                                                     {"1t", 1099511627776.0},
                                                     {".5k", 512}};
        for (const auto &[text, bytes] : sizes) {
            ASSERT_TRUE(ucxSize(text)) << text;
            EXPECT_DOUBLE_EQ(*ucxSize(text), bytes) << text;
        }
        for (const char *none : {"",
                                 ".",
                                 "inf",
                                 "nan",
                                 "auto",
                                 "-8k",
                                 " 8k",
                                 "0x10",
                                 "8x",
                                 "1,5k",
                                 "8ek",
                                 "1e400",
                                 "k"}) {
            EXPECT_FALSE(ucxSize(none)) << none;
        }
        EXPECT_FALSE(ucxSize(std::string(400, '9')));
        EXPECT_EQ(ucxNumber("1.25GBs")->rest, "GBs");
        EXPECT_EQ(ucxNumber("3e")->rest, "e");
    }

    TEST(Devices, portsAreSpelledOutAndInterfacesAreNot) {
        using list_t = std::vector<std::string>;
        EXPECT_EQ(resolveDeviceList("device_list", "mlx5_0 r0", host()),
                  (list_t{"mlx5_0:2", "r0"}));
        EXPECT_EQ(resolveDeviceList("device_list", "mlx5_0:1,mlx5_0:2", host()),
                  (list_t{"mlx5_0:1", "mlx5_0:2"}));
        EXPECT_TRUE(areNetInterfaces({"r0"}, host()));
        EXPECT_FALSE(areNetInterfaces({"r0", "mlx5_0:2"}, host()));
    }

    TEST(Devices, whatDoesNotExistIsNamed) {
        const map_t bad = {
            {"mlx5_7", "there is no device 'mlx5_7'; there are: mlx5_0, r0"},
            {"mlx5_0:3", "mlx5_0 has no port 3"},
            {"r0:1", "'r0' is a network interface, which has no ports"},
            {"mlx5_0,mlx5_0:2", "'mlx5_0:2' is there twice"},
        };
        for (const auto &[text, reason] : bad) {
            try {
                resolveDeviceList("device_list", text, host());
                ADD_FAILURE() << text;
            } catch (const std::invalid_argument &error) {
                EXPECT_EQ(error.what(),
                          "device_list='" + text + "': " + reason +
                              (text == "r0:1" ? "; accepted: 'r0'" : ""));
            }
        }
    }

    std::string
    valueOf(const settingFacts &facts, const std::string &key) {
        for (const ucxSetting &setting : settingsFor(facts)) {
            if (setting.key == key) {
                return setting.value;
            }
        }
        return "";
    }

    TEST(Settings, followTheFacts) {
        settingFacts facts;
        EXPECT_TRUE(settingsFor(facts).empty());
        facts.rails = 4;
        EXPECT_EQ(settingsFor(facts).size(), 1U) << "rails alone set only rails";
        facts.nicCount = 4;
        facts.netDevices = "a,b,c,d";
        facts.rdmaDeviceCount = 4;
        EXPECT_EQ(valueOf(facts, "MAX_HCA_PER_GPU"), "inf");
        EXPECT_EQ(valueOf(facts, "DISTANCE_BW"), "1000GBs");
        EXPECT_EQ(valueOf(facts, "MAX_COMPONENT_MDS"), "");
        EXPECT_EQ(valueOf(facts, "RMA_PPLN_ENABLE"), "");
        facts.rdmaDeviceCount = 32;
        EXPECT_EQ(valueOf(facts, "MAX_COMPONENT_MDS"), "32");
        facts.isTcpOnly = true;
        EXPECT_EQ(valueOf(facts, "RMA_PPLN_ENABLE"), "y");
        EXPECT_EQ(valueOf(facts, "MAX_RNDV_RAILS"), "4");
        EXPECT_EQ(valueOf(facts, "DISTANCE_BW"), "");
        facts.nicCount = 1;
        EXPECT_EQ(valueOf(facts, "RMA_PPLN_ENABLE"), "");
        EXPECT_EQ(valueOf(facts, "MIN_RMA_CHUNK_SIZE"), "");
        facts.cutsSmall = true;
        EXPECT_EQ(valueOf(facts, "MIN_RMA_CHUNK_SIZE"), "4160");
    }

} // namespace
} // namespace nixlStripe
