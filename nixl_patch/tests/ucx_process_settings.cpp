// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/process_settings.h"

#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>

namespace nixlStripe {
namespace {

    const ucxLibrary &
    fakeUcx() {
        static const ucxLibrary library(
            reinterpret_cast<ucpInitVersion_t>(dlsym(RTLD_DEFAULT, "ucp_init_version")));
        return library;
    }

    std::vector<ucxSetting>
    settings(const std::string &value) {
        return {{"MAX_RMA_RAILS", "4", scope_t::CONTEXT, side_t::INITIATOR, ""},
                {"DISTANCE_BW", value, scope_t::PROCESS, side_t::BOTH, ""}};
    }

    TEST(ProcessSettings, lastPutsBackWhatTheFirstFound) {
        ASSERT_EQ(fakeUcx().globalOption("DISTANCE_BW"), "auto");
        auto first = std::make_unique<processSettings>(fakeUcx(), settings("1000GBs"));
        auto second = std::make_unique<processSettings>(fakeUcx(), settings("1000GBs"));
        EXPECT_EQ(fakeUcx().globalOption("DISTANCE_BW"), "1000GBs");
        first.reset();
        EXPECT_EQ(fakeUcx().globalOption("DISTANCE_BW"), "1000GBs") << "the second is still there";
        second.reset();
        EXPECT_EQ(fakeUcx().globalOption("DISTANCE_BW"), "auto");
    }

    TEST(ProcessSettings, refusalIsAnErrorAndChangesNothing) {
        setenv("FAKE_UCX_REFUSES", "DISTANCE_BW", 1);
        EXPECT_THROW(processSettings(fakeUcx(), settings("inf")), std::runtime_error);
        unsetenv("FAKE_UCX_REFUSES");
        EXPECT_EQ(fakeUcx().globalOption("DISTANCE_BW"), "auto");
    }

} // namespace
} // namespace nixlStripe
