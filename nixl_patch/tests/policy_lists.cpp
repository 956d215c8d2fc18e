// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "policy/stripe_spec.h"

#include <gtest/gtest.h>

using namespace nixlStripe;
using kind_t = stripeSpec::kind_t;

namespace {

std::string
errorOf(const std::string &text) {
    return textOfError([&] { parseStripe("stripe", text); });
}

} // namespace

TEST(StripeSpec, policiesAndCounts) {
    EXPECT_EQ(parseStripe("stripe", "").isOff(), true);
    EXPECT_EQ(parseStripe("stripe", "off").isOff(), true);
    EXPECT_EQ(parseStripe("stripe", "all").policy->word, "all");
    EXPECT_EQ(parseStripe("stripe", "64").count, 64U);
    EXPECT_TRUE(parseStripe("stripe", "fair").needsGpu());
    EXPECT_TRUE(parseStripe("stripe", "auto").needsGpu());
    EXPECT_FALSE(parseStripe("stripe", "4").needsGpu());
    EXPECT_FALSE(parseStripe("stripe", "=mlx5_0").needsGpu());
}

TEST(StripeSpec, badValuesNameKeyValueAndWhatIsAccepted) {
    for (const char *text : {"0",
                             "65",
                             "99999999999999999999",
                             "^",
                             "=",
                             "^=",
                             ",",
                             "mlx5_0:0",
                             "mlx5_0:256",
                             "mlx5_0:x",
                             ":1",
                             "mlx5_0,mlx5_0",
                             "a=b",
                             "mlx5_[0-3]",
                             "-1",
                             "4.5",
                             "+4",
                             "1.5/2",
                             "=^mlx5_0"}) {
        const std::string error = errorOf(text);
        EXPECT_NE(error.find("stripe='" + std::string(text) + "'"), std::string::npos) << error;
        EXPECT_NE(error.find("accepted: 'all'"), std::string::npos) << text << ": " << error;
    }
}

TEST(StripeSpec, printedTextParsesToTheSame) {
    for (const char *text : {"",
                             "off",
                             "all",
                             "numa",
                             "nearest",
                             "fair",
                             "auto",
                             "1",
                             "007",
                             "mlx5_0,mlx5_3:1",
                             "^bond0,mlx5_9",
                             "=mlx5_1",
                             "^=mlx5_1:2",
                             "all,",
                             "7,",
                             "-1,",
                             "=all",
                             "mlx5_0  mlx5_1:1"}) {
        const stripeSpec spec = parseStripe("stripe", text);
        EXPECT_EQ(parseStripe("stripe", spec.text()), spec) << text << " -> " << spec.text();
    }
}

TEST(NcclList, matchesLikeNccl) {
    const ncclList prefix = parseNcclList("stripe", "mlx5_1", "");
    EXPECT_TRUE(prefix.matches("mlx5_1", 1));
    EXPECT_TRUE(prefix.matches("mlx5_10", 2));
    EXPECT_FALSE(prefix.matches("mlx5_2", 1));
    const ncclList exact = parseNcclList("stripe", "=mlx5_1:2", "");
    EXPECT_TRUE(exact.matches("mlx5_1", 2));
    EXPECT_FALSE(exact.matches("mlx5_1", 1));
    EXPECT_FALSE(exact.matches("mlx5_10", 2));
    EXPECT_TRUE(parseNcclList("stripe", "^=mlx5_1", "").exclude);
}

TEST(DeviceList, messagesKeepCharactersWhole) {
    for (const char *character : {"\u00e9", "\u2026", "\U0001f680", "/"}) {
        try {
            parseDeviceList("device_list", "mlx5" + std::string(character) + "0");
            ADD_FAILURE() << character;
        } catch (const std::invalid_argument &error) {
            const std::string expected = "unexpected character '" + std::string(character) + "'";
            EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
        }
    }
}
