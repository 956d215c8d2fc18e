// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// How many kinds of keys a worker takes.
#include "ucx/key_budget.h"

#include <gtest/gtest.h>

namespace nixlStripe {
namespace {

    constexpr std::size_t room = keyBudget::of_old_ucx - keyBudget::kept_free;

    /** How many single lanes of one kind fit. */
    std::size_t
    fitting(keyBudget &budget, const std::string &kind, std::size_t lanes, std::uint8_t type = 0) {
        std::size_t fit = 0;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            fit += budget.take(kind, std::uint64_t{1} << lane, type) ? 1 : 0;
        }
        return fit;
    }

    TEST(KeyBudget, manyNicsAndSeveralKindsFit) {
        keyBudget budget(keyBudget::of_old_ucx);
        budget.noteOwn(~std::uint64_t{0}, 0, 0xff);
        budget.noteOwn(~std::uint64_t{0}, 1, 3);
        EXPECT_EQ(fitting(budget, "a peer of 32 NICs", 32), 32U);
        EXPECT_EQ(fitting(budget, "a peer of 32 NICs", 32, 1), 32U) << "memory of a GPU";
        EXPECT_EQ(fitting(budget, "a peer of 16 NICs", 16), 16U);
        EXPECT_EQ(fitting(budget, "a peer of 32 NICs", 32), 32U) << "no more room for the same";
    }

    TEST(KeyBudget, theLastOnesAreKeptForKeysOfTheCallersOwn) {
        keyBudget budget(keyBudget::of_old_ucx);
        EXPECT_EQ(fitting(budget, "one", 64) + fitting(budget, "another", 64), room);
        EXPECT_FALSE(budget.take("a third", 1, 0));
        EXPECT_TRUE(budget.take("one", 1, 0)) << "one that is there";
    }

    TEST(KeyBudget, keysOfTheCallersOwnCountForEachKindOfEndpoint) {
        keyBudget budget(keyBudget::of_old_ucx);
        for (std::uint8_t gpu = 0; gpu < 8; ++gpu) {
            budget.noteOwn(0xff, 1, gpu);
            budget.noteOwn(0xff, 1, gpu);
        }
        EXPECT_EQ(fitting(budget, "one", 64), 64U);
        EXPECT_EQ(fitting(budget, "another", 64), room - 64 - 2 * 8);
    }

    TEST(KeyBudget, singleLanesComeBeforeSeveral) {
        keyBudget budget(keyBudget::of_old_ucx);
        std::size_t several = 0;
        for (std::uint64_t domains = 3; domains < 1000; domains = domains * 2 + 1) {
            several += budget.take("one", domains, 0) ? 1 : 0;
        }
        EXPECT_EQ(several, 8U) << "all that were asked for";
        EXPECT_EQ(fitting(budget, "one", 64), 64U);
        EXPECT_FALSE(budget.take("one", 0xf0, 0)) << "what is left is for single lanes";
        EXPECT_TRUE(budget.take("another", 0x80, 0));
    }

    TEST(KeyBudget, isThatOfTheLoadedUcx) {
        for (const char *old : {"1.18.0", "1.19.1", "1.20.0", "0.99", "", "unknown", "1", "1."}) {
            EXPECT_EQ(keyConfigurationsOf(old), 128U) << old;
        }
        for (const char *wide : {"1.21.0", "1.22.0", "1.23.0", "1.100.2", "2.0.0"}) {
            EXPECT_EQ(keyConfigurationsOf(wide), 65535U) << wide;
        }
        keyBudget narrow(keyConfigurationsOf("1.20.0"));
        keyBudget wide(keyConfigurationsOf("1.21.0"));
        std::size_t fit_narrow = 0;
        std::size_t fit_wide = 0;
        for (const char *kind : {"one", "another", "a third", "a fourth"}) {
            fit_narrow += fitting(narrow, kind, 64);
            fit_wide += fitting(wide, kind, 64);
        }
        EXPECT_EQ(fit_narrow, room);
        EXPECT_EQ(fit_wide, std::size_t{4 * 64});
    }

    TEST(KeyBudget, aRefusalOfUcxIsTheEnd) {
        keyBudget budget(keyBudget::of_old_ucx);
        EXPECT_TRUE(budget.take("one", 1, 0));
        budget.refused();
        EXPECT_FALSE(budget.take("one", 2, 0));
    }

} // namespace
} // namespace nixlStripe
