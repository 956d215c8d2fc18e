// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Stock plugins that differ from what is known: stock behaviour or a clear error, never a crash.
#include "plugin/init_hook.h"
#include "plugin_fixture.h"
#include "topology/text.h"

#include <cstring>
#include <sstream>

// Called by name, so that the linker keeps the fake UCX as a library of this program.
extern "C" {
int fake_live_contexts();
const char *fake_last_rails();
void *fake_config_read();
void fake_config_release(void *config);
std::int8_t ucp_init_version(unsigned, unsigned, const void *, const void *, void **);
void ucp_cleanup(void *);
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

    std::size_t
    countIn(const std::string &text, const std::string &part) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) {
            ++count;
        }
        return count;
    }

    TEST_F(PluginDoctored, aWarningComesOnceHoweverManyBackendsThereAre) {
        const pluginFolder folder("good");
        abi::plugin *plugin = folder.init();
        const abi::params_t params = {{"max_rma_rails", "2"}, {"stripe_small", "spread"}};
        ::testing::internal::CaptureStderr();
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(errorOf(plugin, params), "");
        }
        const std::string log = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(countIn(log, "small buffers are left to UCX"), 1U) << log;
    }

    TEST_F(PluginDoctored, killSwitchIsTheStockPlugin) {
        const pluginFolder folder("good");
        const scopedEnvironment rails({"NIXL_UCX_MAX_RMA_RAILS", "no number"});
        ::testing::internal::CaptureStderr();
        {
            const scopedEnvironment disabled({"NIXL_STRIPE_DISABLE", "1"});
            abi::plugin *plugin = folder.init();
            ASSERT_NE(plugin, nullptr);
            EXPECT_EQ(plugin->getBackendOptions(), (abi::params_t{{"num_workers", "1"}}));
            EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "7"}, {"stripe", "65"}}), "");
            EXPECT_EQ(lastRails(), "2");
            EXPECT_EQ(folder.init(), plugin);
        }
        const std::string log = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(countIn(log, "disabled by NIXL_STRIPE_DISABLE='1'"), 1U) << log;
        EXPECT_EQ(countIn(log, "\n"), 1U) << log;
    }

    TEST_F(PluginDoctored, killSwitchThatIsOffChangesNothing) {
        const pluginFolder folder("good");
        const scopedEnvironment disabled({"NIXL_STRIPE_DISABLE", "0"});
        EXPECT_EQ(errorOf(folder.init(), {{"max_rma_rails", "7"}}), "");
        EXPECT_EQ(lastRails(), "7");
    }

    TEST_F(PluginDoctored, killSwitchOfALoadedPluginHoldsForTheNextEngines) {
        const pluginFolder folder("good");
        abi::plugin *plugin = folder.init();
        EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "7"}}), "");
        {
            const scopedEnvironment disabled({"NIXL_STRIPE_DISABLE", "please"});
            EXPECT_EQ(plugin->getBackendOptions().count("max_rma_rails"), 0U);
            EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "no number"}}), "");
            EXPECT_EQ(lastRails(), "2");
        }
        EXPECT_EQ(errorOf(plugin, {{"max_rma_rails", "5"}}), "");
        EXPECT_EQ(lastRails(), "5");
    }

    TEST_F(PluginDoctored, pluginLoadedDisabledIsHookedOnceTheSwitchIsOff) {
        const pluginFolder folder("good");
        {
            const scopedEnvironment disabled({"NIXL_STRIPE_DISABLE", "1"});
            ASSERT_NE(folder.init(), nullptr);
        }
        EXPECT_EQ(errorOf(folder.init(), {{"max_rma_rails", "7"}}), "");
        EXPECT_EQ(lastRails(), "7");
    }

    TEST_F(PluginDoctored, misspeltKeysAreSaidOnce) {
        const pluginFolder folder("good");
        const scopedEnvironment variable({"NIXL_UCX_STIRPE", "all"});
        abi::plugin *plugin = folder.init();
        const abi::params_t params = {{"max_rma_rail", "7"},
                                      {"num_worker", "2"},
                                      {"num_workers", "2"},
                                      {"access_key", "secret"}};
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(errorOf(plugin, params), "");
        EXPECT_EQ(errorOf(plugin, params), "");
        const std::string log = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(lastRails(), "2");
        for (const char *part : {"'max_rma_rail' has no effect: nothing is called so; did you mean "
                                 "'max_rma_rails'?",
                                 "did you mean 'num_workers'?",
                                 "'NIXL_UCX_STIRPE' has no effect",
                                 "did you mean 'NIXL_UCX_STRIPE'?"}) {
            EXPECT_EQ(countIn(log, part), 1U) << part << " in " << log;
        }
        EXPECT_EQ(countIn(log, "\n"), 3U) << log;
        EXPECT_EQ(countIn(log, "secret"), 0U) << "a value can be one";
    }

    /** Initialises the double of UCX as the hook does; @return the hook's error, "" for none. */
    std::string
    errorOfRequest(const stripePlan &plan, const char *transports = nullptr) {
        const ucxLibrary ucx(&ucp_init_version);
        void *config = fake_config_read();
        if (transports != nullptr) {
            ucx.modify(config, "TLS", transports);
        }
        void *context = nullptr;
        initRequest request(plan);
        if (request.init(ucx, 1, 0, nullptr, config, &context) == ucs_ok) {
            ucp_cleanup(context);
        }
        fake_config_release(config);
        return request.error();
    }

    /** Reads back and compares as the hook does; @return its error, "" for none. */
    std::string
    errorOfInit(const std::string &net_devices, const std::string &opened) {
        const scopedEnvironment devices({"FAKE_UCX_DEVICES", opened});
        stripePlan plan;
        std::istringstream names(net_devices);
        for (std::string name; std::getline(names, name, ',');) {
            plan.devices.push_back(name);
        }
        plan.settings.push_back({"NET_DEVICES", net_devices, scope_t::CONTEXT, side_t::BOTH, ""});
        return errorOfRequest(plan);
    }

    TEST_F(PluginDoctored, moreDevicesThanUcxCanPrintAreReadBackByTheirStart) {
        std::string names;
        for (int i = 0; i < 64; ++i) {
            append(names, "rdmap" + std::to_string(i) + "s0:1", ",");
        }
        EXPECT_EQ(errorOfInit(names, names), "");
        const std::string last = "rdmap63s0:1";
        const std::string error = errorOfInit(names, names.substr(0, names.rfind(',')));
        EXPECT_NE(error.find("UCX did not open " + last), std::string::npos) << error;
    }

    TEST_F(PluginDoctored, anotherStartOfALongValueIsAnError) {
        const scopedEnvironment forgets({"FAKE_UCX_FORGETS", "NET_DEVICES"});
        const std::string names = std::string(200, 'a') + ",b";
        const std::string error = errorOfInit(names, names);
        EXPECT_NE(error.find("was given NET_DEVICES='aaa"), std::string::npos) << error;
    }

    std::string
    errorOfMany(const char *transports) {
        machine host;
        stripePlan plan;
        for (int i = 0; i < 32; ++i) {
            rdmaNic nic;
            nic.name = "mlx5_" + std::to_string(i);
            nic.driver = "mlx5_core";
            host.nics.push_back(nic);
            plan.devices.push_back(nic.name + ":1");
        }
        plan.capacity = capacityRequestOf(host, plan.devices);
        const scopedEnvironment opened({"FAKE_UCX_DEVICES", joined(plan.devices, ",")});
        return errorOfRequest(plan, transports);
    }

    TEST_F(PluginDoctored, aLimitOfUcxIsNamedBeforeUcxMeetsIt) {
        const std::string error = errorOfMany("all");
        EXPECT_NE(error.find("UCX's limit of transport resources: 164 of 128"), std::string::npos)
            << error;
        EXPECT_EQ(errorOfMany("rc_x,sm,self"), "") << "whoever sets UCX_TLS, a ucx.conf too";
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
