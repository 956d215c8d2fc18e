// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/cuda_module.h"
#include "ucx/traps.h"
#include "ucx/values.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace nixlStripe {
namespace {

    using config_t = std::map<std::string, std::string>;
    using list_t = std::vector<std::string>;

    trapFacts
    fourRdmaNics() {
        trapFacts facts;
        facts.nicCount = 4;
        facts.usesRdma = true;
        facts.hasGpu = true;
        return facts;
    }

    TEST(UcxValues, booleans) {
        EXPECT_EQ(ucxBool("Yes"), true);
        EXPECT_EQ(ucxBool("0"), false);
        EXPECT_EQ(ucxBool("try"), std::nullopt);
    }

    TEST(UcxValues, counts) {
        EXPECT_EQ(ucxCount("16"), 16u);
        for (const char *text : {"", "inf", "auto", "-1", "4x", "99999999999999999999"}) {
            EXPECT_EQ(ucxCount(text), std::nullopt) << text;
        }
    }

    TEST(UcxValues, sizes) {
        EXPECT_EQ(ucxSize("64"), 64);
        EXPECT_EQ(ucxSize("8k"), 8192);
        EXPECT_EQ(ucxSize("1MB"), 1048576);
        EXPECT_EQ(ucxSize("0.5"), 0.5);
        for (const char *text : {"", "inf", "auto", "8x", "-1", "k"}) {
            EXPECT_EQ(ucxSize(text), std::nullopt) << text;
        }
    }

    TEST(UcxValues, lists) {
        EXPECT_EQ(ucxList("^tcp, sm,,"), (list_t{"tcp", "sm"}));
        EXPECT_TRUE(ucxList("").empty());
    }

    TEST(Traps, tellKeyValueEffectAndFix) {
        const auto found = findTraps({{"UCX_PROTO_ENABLE", "n"}}, {}, fourRdmaNics());
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].text(),
                  "UCX_PROTO_ENABLE='n': " + found[0].effect + "; unset UCX_PROTO_ENABLE");
    }

    TEST(Traps, comeFromEngineConfigUnlessAVariableWins) {
        const config_t config = {{"SINGLE_NET_DEVICE", "y"}};
        EXPECT_EQ(findTraps({}, config, fourRdmaNics()).size(), 1u);
        EXPECT_TRUE(findTraps({{"UCX_SINGLE_NET_DEVICE", "n"}}, config, fourRdmaNics()).empty());
    }

    TEST(Traps, emptyAndOddValuesHurtNobody) {
        for (const trapRule &rule : trapTable()) {
            const std::string key = "UCX_" + std::string(rule.key);
            for (const char *value : {"", "?", ",", "^"}) {
                const auto found = findTraps({{key, value}}, {}, fourRdmaNics());
                const bool is_prefix = rule.key == "IB_SUBNET_PREFIX" && *value != '\0';
                const bool is_list =
                    (rule.key == "TLS" || rule.key == "MODULES" || rule.key == "NET_DEVICES") &&
                    *value == '?';
                EXPECT_EQ(found.size(), is_prefix || is_list ? 1u : 0u) << key << "=" << value;
            }
        }
    }

    TEST(Traps, factsComeFromTheHost) {
        machine host;
        for (const double rate : {400.0, 100.0}) {
            rdmaNic nic;
            nic.name = "mlx5_" + std::to_string(host.nics.size());
            nic.ports.emplace_back();
            nic.ports[0].rateGbps = rate;
            host.nics.push_back(nic);
        }
        const trapFacts mixed = trapFactsOf(host, {"mlx5_0:1", "mlx5_1:1"});
        EXPECT_TRUE(mixed.usesRdma && !mixed.usesTcp && !mixed.hasGpu);
        EXPECT_EQ(mixed.rateRatio, 4);
        EXPECT_TRUE(trapFactsOf(host, {}).usesRdma);
        EXPECT_TRUE(trapFactsOf(machine(), {}).usesTcp);
    }

    TEST(CudaModule, isMissedOnlyWhereThereIsACudaDriver) {
        const std::string driver = "/usr/lib/libcuda.so.1";
        EXPECT_NE(cudaModuleProblem({"", driver, "/w/ucx/libuct_cuda.so.0"}), "");
        EXPECT_EQ(cudaModuleProblem({"", driver, "/w/ucx/libucm_cuda.so.0"}), "");
        EXPECT_EQ(cudaModuleProblem({"", "/usr/lib/libcudart.so.12"}), "");
        EXPECT_EQ(cudaModuleProblem({"libcuda.so"}).find("UCX could not load"), 0u);
    }

    TEST(CudaModule, seesWhatIsLoaded) {
        const std::vector<std::string> objects = loadedObjects();
        EXPECT_TRUE(std::any_of(objects.begin(), objects.end(), [](const std::string &path) {
            return path.find("libc.so") != std::string::npos;
        }));
    }

} // namespace
} // namespace nixlStripe
