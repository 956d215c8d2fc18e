// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file ucx_modules.cpp
 * @brief UCX's modules that bring a second libnl-route are left out where nothing needs them.
 */
#include "hosts.h"
#include "ucx/plan.h"

#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

stripePlan
planFor(const std::map<std::string, std::string> &parameters,
        const std::map<std::string, std::string> &environment,
        const machine &host) {
    planInputs inputs;
    inputs.parameters = parameterSet(parameters, environment);
    inputs.environment = environment;
    inputs.readHost = [&host] { return host; };
    inputs.findGpu = [](const std::string &, const std::string &) {
        return std::optional<std::string>();
    };
    return makePlan(inputs);
}

TEST(Modules, AreLeftOutWhereStripeIsInForce) {
    EXPECT_EQ(planFor({{"stripe", "all"}}, {}, plainHost(4)).modules, "^efa,rdmacm");
    EXPECT_EQ(planFor({}, {{"NIXL_UCX_STRIPE", "all"}}, plainHost(1)).modules, "^efa,rdmacm");
}

TEST(Modules, StayWhereAnEfaNeedsThem) {
    machine host = plainHost(2);
    host.nics[1].ports[0].linkLayer = linkLayer_t::EFA;
    EXPECT_EQ(planFor({{"stripe", "all"}}, {}, host).modules, "");
}

TEST(Modules, StayWhereNobodyAsked) {
    EXPECT_EQ(planFor({}, {}, plainHost(4)).modules, "");
    EXPECT_EQ(planFor({{"stripe", "off"}}, {}, plainHost(4)).modules, "");
    EXPECT_EQ(planFor({{"max_rma_rails", "2"}}, {}, plainHost(4)).modules, "");
    const std::map<std::string, std::string> disabled = {{"NIXL_STRIPE_DISABLE", "1"}};
    EXPECT_EQ(planFor({{"stripe", "all"}}, disabled, plainHost(4)).modules, "");
}

TEST(Modules, StayAsTheUserSaid) {
    EXPECT_EQ(planFor({{"stripe", "all"}}, {{"UCX_MODULES", "all"}}, plainHost(4)).modules, "");
}

} // namespace
