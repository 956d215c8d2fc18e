// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "policy/device_spec.h"
#include "policy/parameters.h"
#include "policy/rails.h"
#include "topology/text.h"

#include <gtest/gtest.h>

namespace nixlStripe {
namespace {

    TEST(Rails, acceptsWhatItSays) {
        EXPECT_EQ(parseRails("max_rma_rails", "").kind, railRequest::kind_t::UNSET);
        EXPECT_EQ(parseRails("max_rma_rails", "auto").kind, railRequest::kind_t::AUTO);
        EXPECT_EQ(parseRails("max_rma_rails", "1").count, 1U);
        EXPECT_EQ(parseRails("max_rma_rails", "64").count, 64U);
    }

    TEST(Rails, aRefusalIsOneLineWhateverTheValue) {
        const std::string error =
            textOfError([] { parseRails("max_rma_rails", "4\n\x1b]0;x\x07"); });
        expectIn("max_rma_rails='4\\x0a\\x1b]0;x\\x07'", error);
    }

    TEST(Rails, refusesEverythingElse) {
        for (const char *bad : {"0",
                                "65",
                                "256",
                                "-1",
                                "+4",
                                "4x",
                                " 4",
                                "4 ",
                                "4.0",
                                "0x4",
                                "AUTO",
                                "inf",
                                "99999999999999999999",
                                "four",
                                "1,2"}) {
            const std::string error = textOfError([&] { parseRails("max_rma_rails", bad); });
            EXPECT_NE(error.find("max_rma_rails='" + std::string(bad) + "'"), std::string::npos)
                << bad;
            EXPECT_NE(error.find("from 1 to 64"), std::string::npos) << bad;
        }
    }

    std::vector<std::string>
    texts(const char *list) {
        std::vector<std::string> result;
        for (const deviceSpec &spec : parseDeviceList("device_list", list)) {
            result.push_back(spec.text());
        }
        return result;
    }

    TEST(DeviceList, splitsOnCommasAndSpaces) {
        using list_t = std::vector<std::string>;
        EXPECT_EQ(texts(""), list_t{});
        EXPECT_EQ(texts("mlx5_0,mlx5_1"), (list_t{"mlx5_0", "mlx5_1"}));
        EXPECT_EQ(texts("mlx5_0:1, mlx5_1:2 r0"), (list_t{"mlx5_0:1", "mlx5_1:2", "r0"}));
        EXPECT_EQ(texts(",eth0.100@if3,"), (list_t{"eth0.100@if3"}));
    }

    TEST(DeviceList, refusesWhatIsNoDevice) {
        for (const char *bad : {"mlx5_0:",
                                ":1",
                                "mlx5_0:0",
                                "mlx5_0:256",
                                "mlx5_0:x",
                                "mlx5_0:1:1",
                                "mlx5_[0-3]",
                                "^mlx5_0",
                                "a;b",
                                "a/b",
                                "r0,r0",
                                "r0:1 r0:1",
                                ",,,",
                                " , ,\t\n"}) {
            const std::string error = textOfError([&] { parseDeviceList("device_list", bad); });
            EXPECT_NE(error.find(assignment("device_list", bad)), std::string::npos) << bad;
            EXPECT_NE(error.find("accepted:"), std::string::npos) << bad;
        }
    }

    TEST(Parameters, parameterBeatsVariableAndEmptyMeansUnset) {
        const environment_t environment = {{"NIXL_UCX_STRIPE", "numa"},
                                           {"NIXL_UCX_MAX_RMA_RAILS", "3"}};
        const parameterSet set({{"stripe", "all"}, {"max_rma_rails", ""}, {"other", "x"}},
                               environment);
        EXPECT_EQ(set.get(parameter_t::STRIPE).text, "all");
        EXPECT_EQ(set.get(parameter_t::STRIPE).origin, "stripe");
        EXPECT_EQ(set.get(parameter_t::MAX_RMA_RAILS).text, "3");
        EXPECT_EQ(set.get(parameter_t::MAX_RMA_RAILS).origin, "NIXL_UCX_MAX_RMA_RAILS");
        EXPECT_FALSE(set.get(parameter_t::DEVICE_LIST).isSet());
        EXPECT_TRUE(set.anySet());
        EXPECT_FALSE(parameterSet({{"other", "x"}}, {}).anySet());
    }

    TEST(Parameters, tableIsIndexedByItsIds) {
        for (std::size_t i = 0; i < parameterTable().size(); ++i) {
            EXPECT_EQ(static_cast<std::size_t>(parameterTable()[i].id), i);
        }
    }

} // namespace
} // namespace nixlStripe
