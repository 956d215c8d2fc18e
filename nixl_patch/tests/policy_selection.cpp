// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "hosts.h"
#include "policy/selection.h"

#include <gtest/gtest.h>
#include <limits>

using namespace nixlStripe;

namespace {

using names = std::vector<std::string>;

const char *const first_gpu = "0000:13:00.0";

stripeRequest
ask(const std::string &stripe, std::optional<std::string> gpu = std::nullopt) {
    stripeRequest request;
    request.stripe = stripe;
    request.gpuPci = std::move(gpu);
    return request;
}

std::string
errorOf(const machine &host, const stripeRequest &request) {
    return textOfError([&] { selectNics(host, request); });
}

} // namespace

TEST(Selection, offAndUnsetChangeNothing) {
    for (const char *stripe : {"", "off"}) {
        const selection chosen = selectNics(plainHost(4), ask(stripe));
        EXPECT_FALSE(chosen.active);
        EXPECT_TRUE(chosen.devices.empty());
        EXPECT_TRUE(chosen.warnings.empty());
    }
}

TEST(Selection, allIsInNaturalOrder) {
    const selection chosen = selectNics(plainHost(12), ask("all"));
    EXPECT_TRUE(chosen.active);
    ASSERT_EQ(chosen.devices.size(), 12U);
    EXPECT_EQ(chosen.devices[2], "mlx5_2:1");
    EXPECT_EQ(chosen.devices[10], "mlx5_10:1");
}

TEST(Selection, eachPolicyOnASwitchedHost) {
    const machine host = switchedHost(4, 2, 2);
    EXPECT_EQ(selectNics(host, ask("nearest", first_gpu)).devices, (names{"mlx5_0:1", "mlx5_1:1"}));
    EXPECT_EQ(selectNics(host, ask("numa", first_gpu)).devices,
              (names{"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"}));
    EXPECT_EQ(selectNics(host, ask("fair", first_gpu)).devices, names{"mlx5_0:1"});
    EXPECT_EQ(selectNics(host, ask("auto", "0000:14:00.0")).devices, names{"mlx5_1:1"});
    EXPECT_EQ(selectNics(host, ask("3", "0000:33:00.0")).devices,
              (names{"mlx5_4:1", "mlx5_5:1", "mlx5_6:1"}));
    EXPECT_EQ(selectNics(host, ask("3")).devices, (names{"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}));
    EXPECT_EQ(selectNics(host, ask("fair", "13:00.0")).devices, names{"mlx5_0:1"});
}

TEST(Selection, reasonsSayWhy) {
    const machine host = switchedHost(4, 2, 2);
    EXPECT_EQ(selectNics(host, ask("numa", first_gpu)).excluded.at("mlx5_7"),
              "on NUMA node 1, GPU 0000:13:00.0 is on NUMA node 0");
    EXPECT_EQ(selectNics(host, ask("nearest", first_gpu)).excluded.at("mlx5_7"),
              "SYS from GPU 0000:13:00.0, the nearest are PIX");
    EXPECT_EQ(selectNics(host, ask("fair", first_gpu)).excluded.at("mlx5_1"),
              "share of GPU 0000:14:00.0");
    EXPECT_EQ(selectNics(host, ask("1", first_gpu)).excluded.at("mlx5_1"),
              "not among the 1 nearest to GPU 0000:13:00.0");
    EXPECT_EQ(selectNics(host, ask("=mlx5_1")).excluded.at("mlx5_0"), "not in '=mlx5_1'");
    EXPECT_EQ(selectNics(host, ask("^=mlx5_1")).excluded.at("mlx5_1"), "excluded by '^=mlx5_1'");
}

TEST(Selection, countAboveTheUsableOnesTakesAllAndWarns) {
    const selection chosen = selectNics(plainHost(3), ask("8"));
    EXPECT_EQ(chosen.devices.size(), 3U);
    ASSERT_EQ(chosen.warnings.size(), 1U);
    expectIn("8 NICs asked for, 3 usable", chosen.warnings[0]);
}

TEST(Selection, listsFollowNccl) {
    const machine host = plainHost(12);
    EXPECT_EQ(selectNics(host, ask("=mlx5_1")).devices, names{"mlx5_1:1"});
    const selection prefix = selectNics(host, ask("mlx5_1"));
    EXPECT_EQ(prefix.devices, (names{"mlx5_1:1", "mlx5_10:1", "mlx5_11:1"}));
    ASSERT_EQ(prefix.warnings.size(), 1U);
    expectIn("stands for mlx5_10, mlx5_11 too", prefix.warnings[0]);
    EXPECT_EQ(selectNics(host, ask("^mlx5_1")).devices.size(), 9U);
    const selection typo = selectNics(host, ask("^=mlx5_77"));
    EXPECT_EQ(typo.devices.size(), 12U);
    ASSERT_EQ(typo.warnings.size(), 1U);
    expectIn("'mlx5_77'", typo.warnings[0]);
}

TEST(Selection, devicesThatDoNotExistAreErrors) {
    const machine host = plainHost(2);
    for (const char *stripe : {"=mlx5_7", "mlx5_7", "numma", "mlx5_0,eth0"}) {
        const std::string error = errorOf(host, ask(stripe));
        expectIn("stripe='" + std::string(stripe) + "'", error);
        expectIn("devices here: mlx5_0, mlx5_1", error);
        expectIn("accepted: 'all'", error);
    }
    expectIn("mlx5_0 has no port 3", errorOf(host, ask("=mlx5_0:3")));
    stripeRequest from_environment = ask("=mlx5_7");
    from_environment.stripeKey = "NIXL_UCX_STRIPE";
    expectIn("NIXL_UCX_STRIPE='=mlx5_7'", errorOf(host, from_environment));
}

TEST(Selection, aGpuIsNeededOnlyWhereItCounts) {
    const machine host = switchedHost(2, 1, 1);
    for (const char *stripe : {"numa", "nearest", "fair", "auto"}) {
        EXPECT_TRUE(needsGpu(stripe));
        const std::string missing = errorOf(host, ask(stripe));
        expectIn("stripe_gpu", missing);
        expectIn("GPUs here: 0000:13:00.0, 0000:23:00.0", missing);
        const std::string unknown = errorOf(host, ask(stripe, "0000:99:00.0"));
        expectIn("stripe_gpu='0000:99:00.0'", unknown);
    }
    for (const char *stripe : {"all", "1", "=mlx5_0", "off", ""}) {
        EXPECT_FALSE(needsGpu(stripe));
        EXPECT_EQ(errorOf(host, ask(stripe)), "");
        EXPECT_EQ(errorOf(host, ask(stripe, "0000:99:00.0")), "");
    }
}

TEST(Selection, noUsableNicIsAWarningAndNothingChanges) {
    hostBuilder builder;
    builder.nic("mlx5_0", "", "", 0).last().ports[0].state = portState_t::DOWN;
    const selection down = selectNics(builder.build(), ask("all"));
    EXPECT_FALSE(down.active);
    ASSERT_EQ(down.warnings.size(), 1U);
    expectIn("mlx5_0: port 1 is DOWN", down.warnings[0]);
    const selection none = selectNics(machine(), ask("all"));
    EXPECT_FALSE(none.active);
    expectIn("there is no RDMA device", none.warnings.at(0));
}

TEST(Selection, unknownNumaNodeOfTheGpuTakesAll) {
    hostBuilder builder;
    builder.gpuAt("0000:00:08.0", "", unknown_numa).nic("mlx5_0", "", "", unknown_numa);
    const selection chosen = selectNics(builder.build(), ask("numa", "0000:00:08.0"));
    EXPECT_EQ(chosen.devices, names{"mlx5_0:1"});
    EXPECT_EQ(chosen.warnings.size(), 1U);
}

TEST(Selection, moreThanUcxHasLanes) {
    EXPECT_EQ(selectNics(plainHost(64), ask("all")).devices.size(), 64U);
    const std::string error = errorOf(plainHost(65), ask("all"));
    expectIn("stripe='all' selects 65 NICs", error);
    EXPECT_EQ(selectNics(plainHost(65), ask("64")).devices.size(), 64U);
}

TEST(Selection, ratesThatUcxWouldDropAreSaid) {
    hostBuilder builder;
    builder.nic("mlx5_0", "", "", 0).nic("mlx5_1", "", "", 0, 25);
    const selection chosen = selectNics(builder.build(), ask("=mlx5_0,mlx5_1"));
    EXPECT_EQ(chosen.devices.size(), 2U);
    ASSERT_EQ(chosen.warnings.size(), 1U);
    expectIn("mlx5_1:1 (25 Gbit/s)", chosen.warnings[0]);
}

TEST(Selection, minimumRateMustBeFiniteAndNotNegative) {
    for (const double rate : {-1.0,
                              std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()}) {
        stripeRequest request = ask("all");
        request.minRateGbps = rate;
        expectIn("stripe_min_rate_gbps", errorOf(plainHost(1), request));
    }
}
