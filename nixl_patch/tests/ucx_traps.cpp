// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/text.h"
#include "ucx/cuda_module.h"
#include "ucx/traps.h"
#include "ucx/values.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

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

    TEST(UcxValues, limits) {
        EXPECT_EQ(ucxLimit("Inf"), std::numeric_limits<double>::infinity());
        EXPECT_EQ(ucxLimit("8k"), 8192);
        EXPECT_EQ(ucxLimit("auto"), std::nullopt);
        EXPECT_EQ(ucxChunk("AUTO"), std::numeric_limits<double>::infinity());
        EXPECT_EQ(ucxChunk("many"), std::nullopt);
    }

    TEST(UcxValues, keyedOnes) {
        EXPECT_EQ(ucxValueOf("inter", "8k"), "8k");
        EXPECT_EQ(ucxValueOf("inter", "intra:inf,inter:8k"), "8k");
        EXPECT_EQ(ucxValueOf("inter", "inter:inf,8k"), "inf");
        EXPECT_EQ(ucxValueOf("inter", "intra:inf"), "");
    }

    TEST(UcxValues, listsAreReadAsUcxReadsThem) {
        const ucxAllowList list("^tcp, sm,,");
        EXPECT_TRUE(list.isExcluding());
        EXPECT_EQ(list.entries(), (list_t{"tcp", " sm"}));
        EXPECT_TRUE(list.admits({"sm"}));
        EXPECT_FALSE(list.admits({"tcp"}));
        EXPECT_TRUE(ucxAllowList("").entries().empty());
        for (const char *text : {"all", "^all"}) {
            EXPECT_TRUE(ucxAllowList(text).admits({"any"})) << text;
        }
        for (const char *text : {"ALL", "rc,all"}) {
            EXPECT_FALSE(ucxAllowList(text).admits({"any"})) << text;
        }
    }

    TEST(UcxValues, listsOfDevicesHaveRanges) {
        const auto entries = [](const char *text) { return ucxAllowList(text).entries(); };
        EXPECT_EQ(entries("mlx5_[0-2]:1"), (list_t{"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}));
        EXPECT_EQ(entries("mlx5_[00-01]"), (list_t{"mlx5_0", "mlx5_1"}));
        EXPECT_EQ(entries("a[0-99999]").size(), 128u);
        for (const char *text : {"a[3-0]", "a[1-2]b[3-4]", "a[1-2", "a]1-2[", "a[1]", "a[-2]"}) {
            EXPECT_EQ(entries(text), list_t{text});
        }
        EXPECT_EQ(ucxAllowList("a[0-1]", listOf_t::WORDS).entries(), list_t{"a[0-1]"});
    }

    TEST(UcxValues, listsAreRespelt) {
        const auto devices = [](const char *text) { return ucxAllowList(text).respelt(); };
        EXPECT_EQ(devices("mlx5_0:1, mlx5_1:1"), "mlx5_0:1,mlx5_1:1");
        EXPECT_EQ(devices(" ^A[0-1] "), "^A[0-1]");
        EXPECT_EQ(devices("A,b"), "");
        EXPECT_EQ(ucxAllowList("^RC, cuda", listOf_t::WORDS).respelt(), "^rc,cuda");
        EXPECT_EQ(ucxAllowList("^rc,cuda", listOf_t::WORDS).respelt(), "");
    }

    TEST(UcxTransports, areAdmittedAsInUcx) {
        const std::vector<std::string_view> known = {"rc_mlx5", "rc_verbs", "cuda_copy"};
        const auto of = [&](const char *text) { return joined(admittedTransports(text, known)); };
        EXPECT_EQ(of(""), "cuda_copy, rc_mlx5, rc_verbs");
        EXPECT_EQ(of("rc"), "rc_mlx5, rc_verbs");
        EXPECT_EQ(of("^rc_x"), "cuda_copy, rc_verbs");
        EXPECT_EQ(of("\\rc_mlx5,cuda"), "cuda_copy, rc_mlx5");
        EXPECT_EQ(of("^\\rc_mlx5"), "cuda_copy, rc_verbs");
        for (const char *text : {"RC", "\\rc", " rc", "^all "}) {
            EXPECT_EQ(of(text), text[0] == '^' ? of("") : "") << text;
        }
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

    /** Four NICs mlx5_0 to mlx5_3, of which the last is down. */
    machine
    hostWithADeadNic() {
        machine host;
        for (int i = 0; i < 4; ++i) {
            rdmaNic nic;
            nic.name = "mlx5_" + std::to_string(i);
            nic.ports.emplace_back();
            nic.ports[0].state = i == 3 ? portState_t::DOWN : portState_t::ACTIVE;
            host.nics.push_back(nic);
        }
        return host;
    }

    TEST(Traps, netDevicesAreCountedAsUcxOpensThem) {
        trapFacts known = trapFactsOf(hostWithADeadNic(), {});
        trapFacts unknown = fourRdmaNics();
        known.nicCount = unknown.nicCount = 4;
        const auto hurts = [](const char *value, const trapFacts &facts) {
            return !findTraps({{"UCX_NET_DEVICES", value}}, {}, facts).empty();
        };
        for (const char *value : {"all", "mlx5_[0-2]:1", "mlx5_[0-3]", "^eth0", "^mlx5_3:1"}) {
            EXPECT_FALSE(hurts(value, known)) << value;
        }
        for (const char *value :
             {"mlx5_[0-1]:1,mlx5_3:1", "^mlx5_1:1", "ALL", "mlx5_*", "mlx5_0:1, mlx5_1:1,mlx5_2"}) {
            EXPECT_TRUE(hurts(value, known)) << value;
        }
        EXPECT_TRUE(hurts("mlx5_[0-2]:1", unknown));
        EXPECT_FALSE(hurts("mlx5_[0-3]:1", unknown));
        EXPECT_FALSE(hurts("^mlx5_1:1", unknown));
    }

    TEST(Traps, aMisspeltListIsMendedByItsSpelling) {
        const auto fix = [](const char *key, const char *value) {
            trapFacts facts = trapFactsOf(hostWithADeadNic(), {});
            facts.nicCount = 3;
            facts.hasGpu = true;
            const auto found = findTraps({{key, value}}, {}, facts);
            return found.size() == 1 ? found[0].fix : "not one trap";
        };
        EXPECT_EQ(fix("UCX_TLS", "SELF, rc, cuda_copy"),
                  "unset UCX_TLS, or write UCX_TLS=self,rc,cuda_copy (to UCX blanks and capitals "
                  "are a part of a name)");
        EXPECT_EQ(fix("UCX_MODULES", "IB,CUDA").find("unset UCX_MODULES, or write"), 0u);
        EXPECT_NE(fix("UCX_NET_DEVICES", "mlx5_0, mlx5_1, mlx5_2").find("blanks are"),
                  std::string::npos);
        // Spelt well it would still hurt: the spelling is not what mends it.
        EXPECT_EQ(fix("UCX_TLS", "tcp, self").find("write"), std::string::npos);
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
