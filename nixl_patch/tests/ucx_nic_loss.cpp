// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// What a lost NIC is answered with: refused where it cannot hold, and what comes with it where it
// can.
#include "plan_fixture.h"

#include <gtest/gtest.h>

using namespace nixlStripe;
using namespace nixlStripe::testing;

namespace {

const texts_t failover_on_trial = {{"NIXL_STRIPE_EXPERIMENTAL", "failover"}};

planInputs
overTcp(const texts_t &parameters, const texts_t &environment) {
    planInputs inputs = inputsFor(parameters, environment, {});
    inputs.readHost = [] {
        machine host;
        for (const char *name : {"r0", "r1"}) {
            netInterface each;
            each.name = name;
            each.up = each.isVirtual = true;
            each.kind = netKind_t::ETHERNET;
            host.netInterfaces.push_back(each);
        }
        return host;
    };
    return inputs;
}

} // namespace

TEST(NicLoss, nothingChangesWhereNobodyAsks) {
    for (const texts_t &asked : {texts_t{{"on_nic_loss", "error"}},
                                 texts_t{{"on_nic_loss", "auto"}},
                                 texts_t{{"on_nic_loss", ""}}}) {
        const stripePlan plan = planFor(asked);
        EXPECT_FALSE(plan.active);
        EXPECT_EQ(plan.onNicLoss, nicLoss_t::ERROR);
        texts_t striped = asked;
        striped["stripe"] = "all";
        EXPECT_EQ(setting(planFor(striped), "RC_TIMEOUT"), "-");
        EXPECT_TRUE(planFor(striped).spreadsSmall);
    }
    EXPECT_EQ(planFor({{"stripe", "all"}}, failover_on_trial).onNicLoss, nicLoss_t::ERROR)
        << "the variable does nothing by itself";
    EXPECT_EQ(planFor({{"stripe", "all"}, {"on_nic_loss", "error"}},
                      {{"NIXL_STRIPE_EXPERIMENTAL", "no such thing"}})
                  .onNicLoss,
              nicLoss_t::ERROR);
}

TEST(NicLoss, whatCannotHoldIsRefusedWithTheReasonBadFlow) {
    const texts_t wish = {{"stripe", "all"}, {"on_nic_loss", "failover"}};
    expectIn("on_nic_loss='failover': it is not offered yet", errorOf(wish));
    expectIn("NIXL_UCX_ON_NIC_LOSS='failover': it is not offered yet",
             errorOf({{"stripe", "all"}}, {{"NIXL_UCX_ON_NIC_LOSS", "failover"}}));
    expectIn("it needs NICs that are named",
             errorOf({{"max_rma_rails", "4"}, {"on_nic_loss", "failover"}}, failover_on_trial));
    expectIn("no experiment is called 'fail'",
             errorOf(wish, {{"NIXL_STRIPE_EXPERIMENTAL", "failover,fail"}}));
    expectIn("over TCP, UCX fails every READ",
             textOfError([&] { makePlan(overTcp(wish, failover_on_trial)); }));
}

TEST(NicLoss, failoverBringsItsSettingsAndNoKeysForOneNic) {
    const stripePlan plan =
        planFor({{"stripe", "all"}, {"on_nic_loss", "failover"}}, failover_on_trial);
    EXPECT_EQ(plan.onNicLoss, nicLoss_t::FAILOVER);
    EXPECT_TRUE(plan.isGated);
    EXPECT_EQ(setting(plan, "RC_TIMEOUT"), "500ms");
    EXPECT_EQ(setting(plan, "RC_RETRY_COUNT"), "2");
    EXPECT_EQ(setting(plan, "ZCOPY_THRESH"), "0");
    EXPECT_EQ(setting(plan, "TCP_USER_TIMEOUT"), "-");
    EXPECT_FALSE(plan.spreadsSmall) << "a key for one NIC has nowhere to send again";
    EXPECT_EQ(setting(plan, "MIN_RMA_CHUNK_SIZE"), "4160");
    const stripePlan best =
        planFor({{"stripe", "all"}, {"on_nic_loss", "auto"}}, failover_on_trial);
    EXPECT_EQ(best.onNicLoss, nicLoss_t::FAILOVER);
    const stripePlan own =
        planFor({{"stripe", "all"}, {"on_nic_loss", "failover"}},
                {{"NIXL_STRIPE_EXPERIMENTAL", "failover"}, {"UCX_RC_TIMEOUT", "2s"}});
    EXPECT_EQ(setting(own, "RC_TIMEOUT"), "-") << "the user's own wins";
}

TEST(NicLoss, aSpreadThatWasAskedForByNameContradictsFailoverBadFlow) {
    expectIn("stripe_small='spread'",
             errorOf({{"stripe", "all"}, {"stripe_small", "spread"}, {"on_nic_loss", "failover"}},
                     failover_on_trial));
    EXPECT_EQ(errorOf({{"stripe", "all"}, {"stripe_small", "off"}, {"on_nic_loss", "failover"}},
                      failover_on_trial),
              "");
}

TEST(NicLoss, theTwinWithoutAGateIsThereForTests) {
    const texts_t words = {
        {"NIXL_STRIPE_EXPERIMENTAL", "failover,failover-over-tcp,failover-without-gate"}};
    const stripePlan plan =
        makePlan(overTcp({{"stripe", "all"}, {"on_nic_loss", "failover"}}, words));
    EXPECT_EQ(plan.onNicLoss, nicLoss_t::FAILOVER);
    EXPECT_FALSE(plan.isGated);
    EXPECT_EQ(setting(plan, "TCP_USER_TIMEOUT"), "1s");
    EXPECT_EQ(setting(plan, "RC_TIMEOUT"), "-");
}

TEST(NicLoss, resumeIsOfferedOverTcp) {
    const texts_t wish = {{"stripe", "all"}, {"on_nic_loss", "resume"}};
    const stripePlan plan = makePlan(overTcp(wish, {}));
    EXPECT_EQ(plan.onNicLoss, nicLoss_t::RESUME);
    EXPECT_TRUE(plan.active);
    for (const char *key :
         {"TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "KEEPALIVE_INTERVAL"}) {
        EXPECT_EQ(setting(plan, key), "1s") << key;
    }
    for (const char *key : {"RC_TIMEOUT", "ZCOPY_THRESH"}) {
        EXPECT_EQ(setting(plan, key), "-") << key;
    }
    for (const std::string &warning : plan.warnings) {
        EXPECT_EQ(warning.find("trial"), std::string::npos) << warning;
    }
    const texts_t list = {{"device_list", "r0 r1"}, {"on_nic_loss", "resume"}};
    EXPECT_EQ(makePlan(overTcp(list, {})).onNicLoss, nicLoss_t::RESUME);
}

TEST(NicLoss, autoResumesOverTcpWhereThisNixlCan) {
    const texts_t best = {{"stripe", "all"}, {"on_nic_loss", "auto"}};
    const stripePlan plan = makePlan(overTcp(best, {}));
    EXPECT_EQ(plan.onNicLoss, nicLoss_t::RESUME);
    EXPECT_TRUE(plan.choosesNicLoss);
    EXPECT_EQ(setting(plan, "TCP_USER_TIMEOUT"), "1s");
    const texts_t one = {{"device_list", "r1"}, {"on_nic_loss", "auto"}};
    EXPECT_EQ(makePlan(overTcp(one, {})).onNicLoss, nicLoss_t::ERROR) << "none to go on over";
}

TEST(NicLoss, autoIsAnErrorAsInStockWhereThisNixlCannotResumeBadFlow) {
    planInputs inputs = overTcp({{"stripe", "all"}, {"on_nic_loss", "auto"}}, {});
    inputs.noResume = "it was not tried with num_threads";
    const stripePlan plan = makePlan(inputs);
    EXPECT_EQ(plan.onNicLoss, nicLoss_t::ERROR);
    EXPECT_EQ(setting(plan, "TCP_USER_TIMEOUT"), "-") << "nothing is half applied";
    expectIn("on_nic_loss='auto': no transfer is resumed: it was not tried with num_threads",
             plan.warnings.back());
}

TEST(NicLoss, aResumeThatCannotHoldIsRefusedWithTheReasonBadFlow) {
    const texts_t wish = {{"stripe", "all"}, {"on_nic_loss", "resume"}};
    const auto refusal = [](const texts_t &parameters, const texts_t &environment) {
        return textOfError([&] { makePlan(overTcp(parameters, environment)); });
    };
    expectIn("it needs NICs that are named",
             refusal({{"max_rma_rails", "2"}, {"on_nic_loss", "resume"}}, {}));
    expectIn("on_nic_loss='resume': this version resumes over TCP alone", errorOf(wish));
    const texts_t one = {{"device_list", "r1"}, {"on_nic_loss", "resume"}};
    expectIn("with one NIC there is none to go on over", refusal(one, {}));
}

TEST(NicLoss, aBackendThatGoesOnMayHaveOneNicLeft) {
    planInputs inputs = overTcp({{"device_list", "r1"}, {"on_nic_loss", "resume"}}, {});
    inputs.isSpare = true;
    const stripePlan plan = makePlan(inputs);
    EXPECT_EQ(plan.onNicLoss, nicLoss_t::RESUME);
    EXPECT_EQ(plan.devices, std::vector<std::string>{"r1"});
    EXPECT_EQ(setting(plan, "TCP_USER_TIMEOUT"), "1s");
}
