// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file ucx_plan.cpp
 * @brief Precedence per key, as a table: parameter > NIXL_UCX_<KEY> > UCX_<KEY> > stock.
 */
#include "plan_fixture.h"

#include <algorithm>
#include <cctype>
#include <gtest/gtest.h>

using namespace nixlStripe;
using namespace nixlStripe::testing;

namespace {

const char *const first_gpu = "0000:13:00.0";
const char *const second_gpu = "0000:23:00.0";

const char *const all_four = "mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1";
const char *const first_two = "mlx5_0:1,mlx5_1:1";
const char *const last_two = "mlx5_2:1,mlx5_3:1";

std::string
joined(const std::vector<std::string> &lines) {
    std::string text;
    for (const std::string &line : lines) {
        text += line + "\n";
    }
    return text;
}

/** One row: what is given and what the plan must make of it. */
struct row {
    texts_t parameters;
    texts_t environment;
    std::string devices;    /**< NET_DEVICES, "-" = left alone */
    std::string rails;      /**< MAX_RMA_RAILS, "-" = left alone */
    std::string overridden; /**< part of the one warning, "" = no warning */
    std::string kept;       /**< part of what is reported as respected, "" = nothing */
};

void
check(const std::vector<row> &table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
        SCOPED_TRACE("row " + std::to_string(i));
        const row &expected = table[i];
        const stripePlan plan = planFor(expected.parameters, expected.environment);
        EXPECT_EQ(setting(plan, "NET_DEVICES"), expected.devices);
        EXPECT_EQ(setting(plan, "MAX_RMA_RAILS"), expected.rails);
        EXPECT_EQ(plan.warnings.size(), expected.overridden.empty() ? 0U : 1U)
            << joined(plan.warnings);
        expectIn(expected.overridden, joined(plan.warnings));
        EXPECT_EQ(plan.kept.size(), expected.kept.empty() ? 0U : 1U) << joined(plan.kept);
        expectIn(expected.kept, joined(plan.kept));
        EXPECT_EQ(plan.active, !plan.settings.empty());
    }
}

} // namespace

TEST(Precedence, maxRmaRails) {
    check({
        {{}, {}, "-", "-", "", ""},
        {{}, {{"UCX_MAX_RMA_RAILS", "3"}}, "-", "-", "", ""},
        {{{"max_rma_rails", "4"}}, {}, "-", "4", "", ""},
        {{}, {{"NIXL_UCX_MAX_RMA_RAILS", "4"}}, "-", "4", "", ""},
        {{{"max_rma_rails", "2"}}, {{"NIXL_UCX_MAX_RMA_RAILS", "4"}}, "-", "2", "", ""},
        {{{"max_rma_rails", ""}}, {{"NIXL_UCX_MAX_RMA_RAILS", "4"}}, "-", "4", "", ""},
        {{{"max_rma_rails", ""}}, {{"NIXL_UCX_MAX_RMA_RAILS", ""}}, "-", "-", "", ""},
        {{{"max_rma_rails", "4"}},
         {{"UCX_MAX_RMA_RAILS", "3"}},
         "-",
         "4",
         "max_rma_rails='4' overrides UCX_MAX_RMA_RAILS='3'",
         ""},
        {{}, // a number in NIXL_UCX_ is an explicit number too
         {{"NIXL_UCX_MAX_RMA_RAILS", "4"}, {"UCX_MAX_RMA_RAILS", "3"}},
         "-",
         "4",
         "NIXL_UCX_MAX_RMA_RAILS='4' overrides UCX_MAX_RMA_RAILS='3'",
         ""},
        {{{"max_rma_rails", "3"}}, {{"UCX_MAX_RMA_RAILS", "3"}}, "-", "3", "", ""},
        {{{"max_rma_rails", "auto"}}, {}, "-", "4", "", ""},
        {{{"max_rma_rails", "auto"}},
         {{"UCX_MAX_RMA_RAILS", "3"}},
         "-",
         "-",
         "",
         "UCX_MAX_RMA_RAILS='3'"},
        {{{"max_rma_rails", "auto"}}, {{"NIXL_UCX_MAX_RMA_RAILS", "2"}}, "-", "4", "", ""},
        {{{"max_rma_rails", "2"}}, {{"NIXL_UCX_MAX_RMA_RAILS", "bad"}}, "-", "2", "", ""},
    });
}

TEST(Precedence, stripe) {
    check({
        {{{"stripe", "all"}}, {}, all_four, "4", "", ""},
        {{}, {{"NIXL_UCX_STRIPE", "all"}}, all_four, "4", "", ""},
        {{{"stripe", "2"}}, {{"NIXL_UCX_STRIPE", "all"}}, first_two, "2", "", ""},
        {{{"stripe", "off"}}, {{"NIXL_UCX_STRIPE", "all"}}, "-", "-", "", ""},
        {{{"stripe", ""}}, {{"NIXL_UCX_STRIPE", "all"}}, all_four, "4", "", ""},
        {{}, {{"NIXL_UCX_STRIPE", "off"}}, "-", "-", "", ""},
        {{{"stripe", "all"}},
         {{"UCX_MAX_RMA_RAILS", "3"}},
         all_four,
         "-",
         "UCX_MAX_RMA_RAILS='3': as many NICs carry data",
         "UCX_MAX_RMA_RAILS"},
        {{{"stripe", "all"}, {"max_rma_rails", "2"}}, {}, all_four, "2", "", ""},
        {{{"stripe", "all"}}, {{"NIXL_UCX_MAX_RMA_RAILS", "2"}}, all_four, "2", "", ""},
        {{{"stripe", "all"}},
         {{"UCX_NET_DEVICES", "mlx5_0:1"}},
         all_four,
         "4",
         "stripe='all' overrides UCX_NET_DEVICES='mlx5_0:1'",
         ""},
        {{}, // an unmodified client, everything by environment
         {{"NIXL_UCX_STRIPE", "2"}, {"UCX_NET_DEVICES", "mlx5_3:1"}},
         first_two,
         "2",
         "NIXL_UCX_STRIPE='2' overrides UCX_NET_DEVICES='mlx5_3:1'",
         ""},
        {{{"stripe", "all"}}, {{"UCX_NET_DEVICES", all_four}}, all_four, "4", "", ""},
        {{{"stripe", "=mlx5_2"}}, {}, "mlx5_2:1", "-", "", ""}, // one NIC: no bump
        {{{"stripe", "off"}}, {{"UCX_MAX_RMA_RAILS", "3"}}, "-", "-", "", ""},
    });
}

TEST(Precedence, stripeGpu) {
    check({
        {{{"stripe", "numa"}, {"stripe_gpu", first_gpu}}, {}, first_two, "2", "", ""},
        {{{"stripe", "numa"}}, {{"NIXL_UCX_STRIPE_GPU", second_gpu}}, last_two, "2", "", ""},
        {{{"stripe", "numa"}, {"stripe_gpu", first_gpu}},
         {{"NIXL_UCX_STRIPE_GPU", second_gpu}},
         first_two,
         "2",
         "",
         ""},
        {{{"stripe", "numa"}, {"stripe_gpu", ""}},
         {{"NIXL_UCX_STRIPE_GPU", second_gpu}},
         last_two,
         "2",
         "",
         ""},
    });
    planInputs current = inputsFor({{"stripe", "numa"}}, {}, {});
    current.findGpu = [](const std::string &, const std::string &text) {
        return std::optional<std::string>(text.empty() ? second_gpu : text);
    };
    EXPECT_EQ(setting(makePlan(current), "NET_DEVICES"), last_two);
    expectIn("stripe='numa' needs a GPU", errorOf({{"stripe", "numa"}}));
}

TEST(Precedence, stripeMinRate) {
    const auto devices = [](const texts_t &parameters, const texts_t &environment) {
        texts_t all = parameters;
        all["stripe"] = "all";
        planInputs inputs = inputsFor(all, environment, {});
        inputs.readHost = [] { return fourNics(false); };
        return setting(makePlan(inputs), "NET_DEVICES");
    };
    const std::string fast = "mlx5_0:1,mlx5_1:1,mlx5_2:1";
    EXPECT_EQ(devices({}, {}), fast);
    EXPECT_EQ(devices({{"stripe_min_rate_gbps", "100"}}, {}), all_four);
    EXPECT_EQ(devices({}, {{"NIXL_UCX_STRIPE_MIN_RATE_GBPS", "100"}}), all_four);
    EXPECT_EQ(
        devices({{"stripe_min_rate_gbps", "400"}}, {{"NIXL_UCX_STRIPE_MIN_RATE_GBPS", "100"}}),
        fast);
    EXPECT_EQ(devices({{"stripe_min_rate_gbps", ""}}, {{"NIXL_UCX_STRIPE_MIN_RATE_GBPS", "100"}}),
              all_four);
    EXPECT_EQ(devices({{"stripe_min_rate_gbps", "0"}}, {}), all_four);
}

TEST(Precedence, deviceList) {
    check({
        {{{"device_list", "mlx5_1, mlx5_2"}}, {}, "mlx5_1:1,mlx5_2:1", "-", "", ""},
        {{}, {{"NIXL_UCX_DEVICE_LIST", "mlx5_1"}}, "mlx5_1:1", "-", "", ""},
        {{{"device_list", "mlx5_0"}},
         {{"NIXL_UCX_DEVICE_LIST", "mlx5_1"}},
         "mlx5_0:1",
         "-",
         "",
         ""},
        {{{"device_list", ""}}, {{"NIXL_UCX_DEVICE_LIST", "mlx5_1"}}, "mlx5_1:1", "-", "", ""},
        {{}, {{"UCX_NET_DEVICES", "mlx5_3:1"}}, "-", "-", "", ""},
        {{{"device_list", "mlx5_0"}},
         {{"UCX_NET_DEVICES", "mlx5_3:1"}},
         "mlx5_0:1",
         "-",
         "device_list='mlx5_0' overrides UCX_NET_DEVICES='mlx5_3:1'",
         ""},
        {{{"device_list", "mlx5_1,mlx5_2"}, {"stripe", "all"}}, // the list wins over the choice
         {},
         "mlx5_1:1,mlx5_2:1",
         "2",
         "",
         ""},
        {{{"device_list", "mlx5_1,mlx5_2"}, {"max_rma_rails", "auto"}},
         {},
         "mlx5_1:1,mlx5_2:1",
         "2",
         "",
         ""},
        {{{"stripe", "all"}},
         {{"NIXL_UCX_DEVICE_LIST", "mlx5_1,mlx5_2"}},
         "mlx5_1:1,mlx5_2:1",
         "2",
         "",
         ""},
    });
}

TEST(Precedence, oneWarningNamesEverythingThatIsOverridden) {
    const stripePlan plan = planFor({{"stripe", "all"}, {"max_rma_rails", "4"}},
                                    {{"UCX_NET_DEVICES", "mlx5_0:1"}, {"UCX_MAX_RMA_RAILS", "1"}});
    ASSERT_EQ(plan.warnings.size(), 1U);
    EXPECT_EQ(plan.warnings[0],
              "stripe='all' overrides UCX_NET_DEVICES='mlx5_0:1'; max_rma_rails='4' overrides "
              "UCX_MAX_RMA_RAILS='1'");
}

TEST(Precedence, everyOtherSettingOfTheUsersOwnIsRespected) {
    const stripePlan free = planFor({{"stripe", "all"}});
    EXPECT_TRUE(free.isStriped);
    for (const ucxSetting &each : free.settings) {
        if (each.key == "NET_DEVICES" || each.key == "MAX_RMA_RAILS") {
            continue;
        }
        SCOPED_TRACE(each.key);
        const stripePlan by_variable =
            planFor({{"stripe", "all"}}, {{"UCX_" + each.key, "theirs"}});
        EXPECT_EQ(setting(by_variable, each.key), "-");
        expectIn("UCX_" + each.key + "='theirs' in the environment", joined(by_variable.kept));
        EXPECT_EQ(by_variable.settings.size() + 1, free.settings.size());
        const stripePlan by_entry = planFor({{"stripe", "all"}}, {}, {{each.key, "theirs"}});
        EXPECT_EQ(setting(by_entry, each.key), "-");
        expectIn(each.key + "='theirs' in engine_config", joined(by_entry.kept));
    }
    EXPECT_EQ(setting(free, "MAX_HCA_PER_GPU"), "inf");
    EXPECT_EQ(setting(free, "DISTANCE_BW"), "1000GBs");
    EXPECT_EQ(free.settings.size(), 4U);
}

TEST(Precedence, engineConfigThatContradictsIsAnError) {
    expectIn("max_rma_rails='4' contradicts engine_config, which sets MAX_RMA_RAILS=8",
             errorOf({{"max_rma_rails", "4"}}, {}, {{"MAX_RMA_RAILS", "8"}}));
    expectIn("stripe='all' contradicts engine_config, which sets NET_DEVICES=x",
             errorOf({{"stripe", "all"}}, {}, {{"NET_DEVICES", "x"}}));
    expectIn("device_list='mlx5_0' contradicts engine_config, which sets NET_DEVICES=x",
             errorOf({{"device_list", "mlx5_0"}}, {}, {{"NET_DEVICES", "x"}}));
    const stripePlan kept = planFor({{"stripe", "all"}}, {}, {{"MAX_RMA_RAILS", "8"}});
    EXPECT_EQ(setting(kept, "MAX_RMA_RAILS"), "-");
    expectIn("MAX_RMA_RAILS='8' in engine_config", joined(kept.kept));
}

TEST(Precedence, errorsNameWhereTheValueCameFrom) {
    const std::map<std::string, std::string> bad = {{"max_rma_rails", "4x"},
                                                    {"stripe", "everything"},
                                                    {"stripe_min_rate_gbps", "nan"},
                                                    {"device_list", "mlx5_9"}};
    for (const auto &[key, value] : bad) {
        SCOPED_TRACE(key);
        texts_t parameters = {{key, value}};
        if (key == "stripe_min_rate_gbps") {
            parameters["stripe"] = "all";
        }
        expectIn(key + "='" + value + "'", errorOf(parameters));
        std::string variable = "NIXL_UCX_" + key;
        std::transform(variable.begin(), variable.end(), variable.begin(), [](unsigned char c) {
            return static_cast<char>(std::toupper(c));
        });
        parameters.erase(key);
        expectIn(variable + "='" + value + "'", errorOf(parameters, {{variable, value}}));
    }
}

TEST(Precedence, nothingAskedForReadsNothing) {
    planInputs inputs = inputsFor({{"num_threads", "8"}}, {{"UCX_TLS", "tcp"}}, {{"A", "1"}});
    inputs.readHost = []() -> machine { throw std::logic_error("the machine was read"); };
    inputs.findGpu = [](const std::string &, const std::string &) -> std::optional<std::string> {
        throw std::logic_error("a GPU was looked for");
    };
    EXPECT_FALSE(makePlan(inputs).active);
    inputs.parameters = parameterSet({{"max_rma_rails", "4"}}, {});
    inputs.environment = {{"UCX_LOG_LEVEL", "info"}}; // UCX_TLS may undo the rails: see traps.h
    EXPECT_EQ(makePlan(inputs).rails, 4U);
}

TEST(TcpPlan, railsOverNetworkInterfaces) {
    planInputs inputs = inputsFor({{"stripe", "all"}}, {}, {});
    inputs.readHost = [] {
        machine host;
        for (const char *name : {"r0", "r1", "r2", "r3", "lo"}) {
            netInterface each;
            each.name = name;
            each.up = each.isVirtual = true;
            each.kind = each.name == "lo" ? netKind_t::LOOPBACK : netKind_t::ETHERNET;
            host.netInterfaces.push_back(each);
        }
        return host;
    };
    const stripePlan plan = makePlan(inputs);
    EXPECT_EQ(setting(plan, "NET_DEVICES"), "r0,r1,r2,r3");
    EXPECT_EQ(setting(plan, "MAX_RMA_RAILS"), "4");
    EXPECT_EQ(setting(plan, "RMA_PPLN_ENABLE"), "y");
    EXPECT_EQ(setting(plan, "MAX_RNDV_RAILS"), "4");
    EXPECT_EQ(setting(plan, "DISTANCE_BW"), "-");
    EXPECT_EQ(setting(plan, "MIN_RMA_CHUNK_SIZE"), "4160");
    EXPECT_FALSE(plan.spreadsSmall) << "TCP has no keys that choose a NIC";
    inputs.parameters = parameterSet({{"stripe", "all"}, {"stripe_small", "off"}}, {});
    EXPECT_EQ(setting(makePlan(inputs), "MIN_RMA_CHUNK_SIZE"), "-");
    inputs.parameters = parameterSet({{"stripe", "r2"}, {"stripe_small", "spread"}}, {});
    EXPECT_EQ(setting(makePlan(inputs), "MIN_RMA_CHUNK_SIZE"), "-") << "one NIC";
    inputs.parameters = parameterSet({{"device_list", "r0,r1"}, {"stripe_small", "spread"}}, {});
    EXPECT_EQ(setting(makePlan(inputs), "MIN_RMA_CHUNK_SIZE"), "4160") << "asked for by name";
    inputs.parameters = parameterSet({{"stripe", "all"}}, {});
    inputs.environment = {{"UCX_MIN_RMA_CHUNK_SIZE", "16k"}};
    EXPECT_EQ(setting(makePlan(inputs), "MIN_RMA_CHUNK_SIZE"), "-") << "the user's own wins";
    inputs.environment.clear();
    inputs.parameters = parameterSet({{"max_rma_rails", "auto"}}, {});
    EXPECT_EQ(setting(makePlan(inputs), "MAX_RMA_RAILS"), "4");
    EXPECT_EQ(setting(makePlan(inputs), "NET_DEVICES"), "-");
}

TEST(Precedence, stripeIsParsedOnceAndItsErrorsNameTheSource) {
    expectIn("NIXL_UCX_STRIPE='65'",
             errorOf({{"device_list", "mlx5_0"}}, {{"NIXL_UCX_STRIPE", "65"}}));
    const std::string error = errorOf({{"device_list", "mlx5_0"}}, {{"NIXL_UCX_STRIPE", "every"}});
    expectIn("NIXL_UCX_STRIPE='every': no device is called 'every'", error);
    EXPECT_EQ(errorOf({{"device_list", "mlx5_0"}, {"stripe", "=mlx5_1"}}), "")
        << "what device_list beats must still be right, not be used";
}

TEST(Precedence, autoNamesItselfWhereItFindsNoNic) {
    planInputs inputs = inputsFor({}, {{"NIXL_UCX_MAX_RMA_RAILS", "auto"}}, {});
    inputs.readHost = [] { return machine(); };
    expectIn("NIXL_UCX_MAX_RMA_RAILS='auto': no usable NIC", joined(makePlan(inputs).warnings));
}

TEST(KillSwitch, plansNothingAndSaysSo) {
    planInputs inputs = inputsFor({{"stripe", "all"}, {"stripe_small", "no word"}},
                                  {{"NIXL_STRIPE_DISABLE", "1"}, {"NIXL_UCX_STRIPE", "65"}},
                                  {{"NET_DEVICES", "mlx5_0:1"}});
    inputs.readHost = []() -> machine { throw std::logic_error("the machine was read"); };
    const stripePlan plan = makePlan(inputs);
    EXPECT_FALSE(plan.active);
    EXPECT_TRUE(plan.settings.empty());
    EXPECT_EQ(plan.warnings, std::vector<std::string>{"disabled by NIXL_STRIPE_DISABLE='1'"});
}

TEST(Plan, bestGoesByTheCalibrationAndOthersDoNotReadIt) {
    planInputs inputs = inputsFor({{"stripe", "best"}, {"stripe_calibration", "/file"}}, {}, {});
    machine host = fourNics();
    host.gpus.clear();
    inputs.readHost = [&] { return host; };
    calibration measured = calibrationOf(host, {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"});
    measured.sets.push_back({"", {"mlx5_2:1", "mlx5_3:1"}, 700, 700});
    std::vector<std::string> read;
    inputs.readCalibrationAt = [&](const std::string &path) {
        read.push_back(path);
        return std::optional<std::string>(calibrationText(measured));
    };
    const stripePlan plan = makePlan(inputs);
    EXPECT_EQ(setting(plan, "NET_DEVICES"), last_two);
    ASSERT_NE(plan.measured, nullptr);
    EXPECT_EQ(plan.measured->source, "/file");
    inputs.parameters = parameterSet({{"stripe", "best"}}, {});
    EXPECT_EQ(setting(makePlan(inputs), "NET_DEVICES"), all_four)
        << "of another machine: no default";
    host.isLive = true;
    EXPECT_EQ(setting(makePlan(inputs), "NET_DEVICES"), last_two);
    inputs.parameters = parameterSet({{"stripe", "all"}, {"stripe_calibration", "/file"}}, {});
    EXPECT_EQ(makePlan(inputs).measured, nullptr);
    EXPECT_EQ(read, (std::vector<std::string>{"/file", "/etc/nixl-stripe/calibration"}));
}

TEST(Plan, aCalibrationThatIsNotThereIsAnErrorWhereItWasNamed) {
    expectIn("NIXL_UCX_STRIPE_CALIBRATION='/file': there is no such file",
             errorOf({{"stripe", "best"}}, {{"NIXL_UCX_STRIPE_CALIBRATION", "/file"}}));
    EXPECT_EQ(errorOf({{"stripe", "all"}, {"stripe_calibration", "/file"}}), "");
}
