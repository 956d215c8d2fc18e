// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Stock plugins that differ from what is known: stock behaviour or a clear error, never a crash.
#include "plugin_fixture.h"

#include <cstring>

// Called by name, so that the linker keeps the fake UCX as a library of this program.
extern "C" {
int fake_live_contexts();
const char *fake_last_rails();
}

namespace nixlStripe::testing {
namespace {

    int
    liveContexts() {
        return fake_live_contexts();
    }

    std::string
    lastRails() {
        return fake_last_rails();
    }

    std::string
    errorOf(abi::plugin *plugin, abi::params_t params) {
        fullInitParams init(&params);
        try {
            abi::engine *engine = plugin->createEngine(&init.known);
            EXPECT_EQ(init.known.customParams, &params) << "NIXL's own pointer was not put back";
            if (engine == nullptr) {
                return "null";
            }
            plugin->destroyEngine(engine);
            return "";
        } catch (const std::exception &error) {
            EXPECT_EQ(init.known.customParams, &params) << "NIXL's own pointer was not put back";
            return error.what();
        }
    }

    class PluginDoctored : public ::testing::Test {
    protected:
        void
        SetUp() override {
            ASSERT_EQ(liveContexts(), 0);
        }

        void
        TearDown() override {
            EXPECT_EQ(liveContexts(), 0) << "a UCX context was left behind";
        }
    };

    TEST_F(PluginDoctored, goodPluginGetsTheRails) {
        const pluginFolder folder("good");
        abi::plugin *plugin = folder.init();
        ASSERT_NE(plugin, nullptr);
        EXPECT_EQ(plugin->getBackendOptions().count("max_rma_rails"), 1U);
        EXPECT_EQ(plugin->getBackendOptions().at("num_workers"), "1");
        EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "7"}}), "");
        EXPECT_EQ(lastRails(), "7");
        EXPECT_EQ(errorOf(plugin, {}), "");
        EXPECT_EQ(lastRails(), "2") << "an agent without parameters must get stock behaviour";
    }

    TEST_F(PluginDoctored, structIsWrappedInPlaceAndOnce) {
        const pluginFolder folder("good");
        abi::plugin *first = folder.init();
        const auto create = first->createEngine;
        folder.symbol<void (*)()>("nixl_plugin_fini")();
        abi::plugin *second = folder.init();
        EXPECT_EQ(first, second);
        EXPECT_EQ(second->createEngine, create);
        const char *behind = nullptr;
        std::memcpy(&behind, second + 1, sizeof behind);
        EXPECT_STREQ(behind, "behind");
        EXPECT_EQ(errorOf(second, {{"max_rma_rails", "3"}}), "");
    }

    TEST_F(PluginDoctored, everySlotIsRedirected) {
        const pluginFolder folder("two_slots");
        EXPECT_EQ(errorOf(folder.init(), {{"max_rma_rails", "5"}}), "");
        EXPECT_EQ(lastRails(), "5");
    }

    TEST_F(PluginDoctored, readOnlySlotIsRedirected) {
        const pluginFolder folder("relro");
        EXPECT_EQ(errorOf(folder.init(), {{"max_rma_rails", "6"}}), "");
        EXPECT_EQ(lastRails(), "6");
    }

    TEST_F(PluginDoctored, noSlotRefusesOurParametersOnly) {
        const pluginFolder folder("no_slot");
        abi::plugin *plugin = folder.init();
        ASSERT_NE(plugin, nullptr);
        EXPECT_EQ(errorOf(plugin, {}), "");
        const std::string error = errorOf(plugin, {{"max_rma_rails", "4"}});
        EXPECT_NE(error.find("does not import ucp_init_version"), std::string::npos) << error;
    }

    TEST_F(PluginDoctored, unknownApiVersionIsLeftAlone) {
        const pluginFolder folder("api_2");
        abi::plugin *plugin = folder.init();
        ASSERT_NE(plugin, nullptr);
        EXPECT_EQ(plugin->apiVersion, 2);
        EXPECT_EQ(plugin->getBackendOptions().count("max_rma_rails"), 0U);
        EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "4"}}), "");
        EXPECT_EQ(lastRails(), "2");
    }

    TEST_F(PluginDoctored, otherBackendIsLeftAlone) {
        const pluginFolder folder("other_name");
        EXPECT_EQ(folder.init()->getBackendOptions().count("max_rma_rails"), 0U);
    }

    TEST_F(PluginDoctored, readOnlyStructIsLeftAlone) {
        const pluginFolder folder("read_only");
        EXPECT_EQ(folder.init()->getBackendOptions().count("max_rma_rails"), 0U);
    }

    TEST_F(PluginDoctored, missingFunctionIsLeftAlone) {
        const pluginFolder folder("no_create");
        EXPECT_EQ(folder.init()->createEngine, nullptr);
    }

    TEST_F(PluginDoctored, notAPluginGivesNull) {
        const pluginFolder folder("no_entry");
        EXPECT_EQ(folder.init(), nullptr);
    }

    TEST_F(PluginDoctored, missingStockGivesNull) {
        const pluginFolder folder("");
        EXPECT_EQ(folder.init(), nullptr);
    }

    TEST_F(PluginDoctored, unknownParameterLayoutRunsStock) {
        const pluginFolder folder("good");
        abi::plugin *plugin = folder.init();
        abi::params_t params = {{"max_rma_rails", "7"}};
        fullInitParams init(&params);
        init.known.type = "UCX with a name too long to stay inside the string object";
        abi::engine *engine = plugin->createEngine(&init.known);
        ASSERT_NE(engine, nullptr);
        plugin->destroyEngine(engine);
        EXPECT_EQ(lastRails(), "2");
    }

    TEST_F(PluginDoctored, initialisationElsewhereIsAnError) {
        const pluginFolder folder("good");
        const scopedEnvironment skips({"FAKE_STOCK_SKIPS_INIT", "1"});
        const std::string error = errorOf(folder.init(), {{"max_rma_rails", "4"}});
        EXPECT_NE(error.find("did not initialise UCX where it was expected"), std::string::npos)
            << error;
    }

    struct badUcx {
        variable_t ucx;
        variable_t devices;
        std::string error;
    };

    class PluginBadUcx : public ::testing::TestWithParam<badUcx> {};

    TEST_P(PluginBadUcx, isSaidAndTheNextEngineWorks) {
        const pluginFolder folder("good");
        abi::plugin *plugin = folder.init();
        for (const bool stock_throws : {false, true}) {
            const scopedEnvironment ucx(GetParam().ucx);
            const scopedEnvironment devices(GetParam().devices);
            const scopedEnvironment stock({"FAKE_STOCK_THROWS", stock_throws ? "1" : ""});
            const std::string error =
                errorOf(plugin, {{"max_rma_rails", "4"}, {"device_list", "lo"}});
            EXPECT_NE(error.find(GetParam().error), std::string::npos) << error;
            EXPECT_EQ(liveContexts(), 0);
        }
        const scopedEnvironment good({"FAKE_UCX_DEVICES", "lo"});
        EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "4"}, {"device_list", "lo"}}), "");
        EXPECT_EQ(lastRails(), "4");
    }

    INSTANTIATE_TEST_SUITE_P(
        Failures,
        PluginBadUcx,
        ::testing::Values(
            badUcx{{"FAKE_UCX_REFUSES", "MAX_RMA_RAILS"},
                   {"FAKE_UCX_DEVICES", "lo"},
                   "UCX 9.9.9 rejects MAX_RMA_RAILS='4': Invalid parameter"},
            badUcx{{"FAKE_UCX_FORGETS", "MAX_RMA_RAILS"},
                   {"FAKE_UCX_DEVICES", "lo"},
                   "was given MAX_RMA_RAILS='4' and reads back '2'"},
            badUcx{{"FAKE_UCX_LACKS", "MAX_RMA_RAILS"},
                   {"FAKE_UCX_DEVICES", "lo"},
                   "UCX 9.9.9 has no MAX_RMA_RAILS"},
            badUcx{{"FAKE_UCX_INIT", "ok"},
                   {"FAKE_UCX_DEVICES", "eth7"},
                   "UCX did not open lo; it opened: eth7, memory"},
            badUcx{{"FAKE_UCX_INIT", "fail"},
                   {"FAKE_UCX_DEVICES", "lo"},
                   "UCX 9.9.9 does not initialise with these settings: No such device"}));

} // namespace
} // namespace nixlStripe::testing
