// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// What is read of parameters before anything is done: bad values, the kill switch, misspellings.
#include "errors.h"
#include "policy/kill_switch.h"
#include "policy/misspelling.h"
#include "policy/parameters.h"
#include "policy/policies.h"
#include "policy/stripe_spec.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace nixlStripe {
namespace {

    const std::vector<std::pair<std::string, std::vector<std::string>>> bad_values = {
        {"max_rma_rails", {"0", "65", "4x", "inf"}},
        {"stripe", {"65", "-1", "^", "mlx5_0:0"}},
        {"stripe_gpu", {"...", "first", "-1", "1.5"}},
        {"stripe_min_rate_gbps", {"nan", "inf", "-1", "x", "0x10", "1e999"}},
        {"stripe_calibration", {"...", "file", "~/file", "Off"}},
        {"stripe_small", {"...", "on", "Spread"}},
        {"stripe_metrics", {"x.prom", "/tmp/x", "/tmp/.prom", "/tmp/", "/tmp/%x.prom"}},
        {"on_nic_loss", {"...", "Error", "failover,resume"}},
        {"device_list", {",,,", " ", "^lo", ":1"}},
    };

    TEST(Parameters, badValuesAreRefusedInEverySourceAlsoWhereTheyDoNothing) {
        std::set<std::string> tried;
        for (const auto &[key, values] : bad_values) {
            const std::string &name = key;
            const auto info = std::find_if(parameterTable().begin(),
                                           parameterTable().end(),
                                           [&](const auto &each) { return each.key == name; });
            ASSERT_NE(info, parameterTable().end()) << key;
            for (const std::string &value : values) {
                const std::string given = textOfError([&] { parameterSet({{name, value}}, {}); });
                expectIn(key + "='" + value + "'", given);
                expectIn("accepted: " + info->accepted, given);
                const std::string inherited =
                    textOfError([&] { parameterSet({}, {{info->variable, value}}); });
                expectIn(info->variable + "='" + value + "'", inherited);
                expectIn("accepted: " + info->accepted, inherited);
            }
            tried.insert(key);
        }
        EXPECT_EQ(tried.size(), parameterTable().size()) << "a parameter has no bad value here";
    }

    TEST(Parameters, aParameterSavesFromABadVariable) {
        const auto error = [](const char *parameter) {
            return textOfError(
                [&] { parameterSet({{"stripe", parameter}}, {{"NIXL_UCX_STRIPE", "65"}}); });
        };
        EXPECT_EQ(error("off"), "");
        expectIn("NIXL_UCX_STRIPE='65'", error(""));
    }

    TEST(Parameters, goodValuesAreAccepted) {
        const parameterSet set({{"max_rma_rails", "auto"},
                                {"stripe", "^=mlx5_0"},
                                {"stripe_gpu", "0000:1b:00.0"},
                                {"stripe_min_rate_gbps", "0"},
                                {"stripe_small", "off"},
                                {"on_nic_loss", "auto"},
                                {"device_list", "mlx5_0:1, lo"}},
                               {{"NIXL_UCX_STRIPE_GPU", "7"}});
        EXPECT_TRUE(set.anySet());
    }

    TEST(Policies, tableFeedsParsingAndErrors) {
        const std::string error = textOfError([] { parseStripe("stripe", "65"); });
        for (const policyInfo &policy : policyTable()) {
            const std::string word(policy.word);
            const stripeSpec spec = parseStripe("stripe", word);
            EXPECT_EQ(spec.policy, &policy);
            EXPECT_EQ(spec.text(), word);
            EXPECT_EQ(spec.needsGpu(), policy.needsGpu());
            EXPECT_FALSE(policy.meaning.empty());
            expectIn("'" + word + "'", error);
        }
    }

    TEST(KillSwitch, everythingButOffIsOn) {
        for (const char *off : {"", "0", "false", "no", "off", "FALSE", "Off"}) {
            EXPECT_EQ(disabledBy({{"NIXL_STRIPE_DISABLE", off}}), "") << off;
        }
        EXPECT_EQ(disabledBy({}), "");
        for (const char *on : {"1", "true", "yes", "on", "YES"}) {
            EXPECT_EQ(disabledBy({{"NIXL_STRIPE_DISABLE", on}}),
                      "disabled by NIXL_STRIPE_DISABLE='" + std::string(on) + "'");
        }
        for (const char *other : {"2", "ture", " 0", "disable"}) {
            const std::string text = disabledBy({{"NIXL_STRIPE_DISABLE", other}});
            expectIn("NIXL_STRIPE_DISABLE='" + std::string(other) + "'", text);
            expectIn("accepted: 1, true, yes, on, 0, false, no, off", text);
        }
    }

    TEST(KillSwitch, beatsEveryParameter) {
        const std::map<std::string, std::string> given = {{"stripe", "all"},
                                                          {"max_rma_rails", "no number"}};
        environment_t environment = {{"NIXL_UCX_STRIPE", "65"}, {"NIXL_STRIPE_DISABLE", "1"}};
        EXPECT_FALSE(parameterSet(given, environment).anySet());
        environment["NIXL_STRIPE_DISABLE"] = "0";
        EXPECT_NE(textOfError([&] { parameterSet(given, environment); }), "");
    }

    TEST(Misspelling, distanceCountsSlips) {
        EXPECT_EQ(editDistance("stripe", "stripe"), 0U);
        EXPECT_EQ(editDistance("stirpe", "stripe"), 1U);
        EXPECT_EQ(editDistance("stripes", "stripe"), 1U);
        EXPECT_EQ(editDistance("stripe", ""), 6U);
        EXPECT_EQ(editDistance("kitten", "sitting"), 3U);
    }

    TEST(Misspelling, findsWhatWasMeantAndLeavesOthersAlone) {
        const std::vector<std::string> known = {
            "max_rma_rails", "stripe", "stripe_gpu", "device_list", "num_workers"};
        EXPECT_EQ(meantKey("max_rma_rail", known), "max_rma_rails");
        EXPECT_EQ(meantKey("MAX-RMA-RAILS", known), "max_rma_rails");
        EXPECT_EQ(meantKey("stirpe", known), "stripe");
        EXPECT_EQ(meantKey("Stripe", known), "stripe");
        EXPECT_EQ(meantKey("num_worker", known), "num_workers");
        for (const std::string &key : known) {
            EXPECT_EQ(meantKey(key, known), "");
        }
        for (const char *other : {"", "access_key", "strip_it", "devices", "gpu", "rails"}) {
            EXPECT_EQ(meantKey(other, known), "") << other;
        }
        EXPECT_EQ(meantKey(std::string(1 << 20, 's'), known), "");
    }

} // namespace
} // namespace nixlStripe
