// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// A C++ program whose agent outlives main(), as a global object or until an exit handler. What it
// destroys then must still find everything of ours alive; a sanitizer watches.
//   exit_host global | atexit | twin
#include "plugin_fixture.h"
#include "topology/never_destroyed.h"
#include "ucx/process_settings.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern "C" std::int8_t ucp_init_version(unsigned, unsigned, const void *, const void *, void **);

namespace nixlStripe::testing {
namespace {

    abi::engine *
    createEngine(abi::plugin *plugin, abi::params_t params) {
        fullInitParams init(&params);
        return plugin->createEngine(&init.known);
    }

    /** What an agent of NIXL holds: an engine of the plugin, and with it options of the process. */
    struct lateAgent {
        abi::plugin *plugin = nullptr;
        abi::engine *engine = nullptr;
        std::unique_ptr<processSettings> settings;
        /** The twin's: a static that is destroyed before its last user. */
        std::map<std::string, std::string> *mortal = nullptr;

        void
        destroy() {
            if (plugin == nullptr) {
                return;
            }
            if (mortal != nullptr) {
                std::printf("%zu\n",
                            mortal->at("a key that is long enough to be on the heap").size());
            }
            settings.reset();
            plugin->destroyEngine(std::exchange(engine, nullptr));
            // And as if the program went on: another engine, and a refusal with its text.
            plugin->destroyEngine(createEngine(plugin, {{"max_rma_rails", "3"}}));
            try {
                createEngine(plugin, {{"max_rma_rails", "many"}});
            } catch (const std::invalid_argument &expected) {
                std::printf("%s\n", expected.what());
            }
            plugin = nullptr;
        }

        ~lateAgent() {
            destroy();
        }
    };

    /** Made before main(), and so destroyed after every static that main() brings into being. */
    lateAgent global;

    void
    destroyAtExit() {
        global.destroy();
    }

    std::map<std::string, std::string> &
    mortalMap() {
        static std::map<std::string, std::string> map = {
            {"a key that is long enough to be on the heap",
             "and a value that is as long as the key"}};
        return map;
    }

    int
    run(const std::string &mode) {
        if (mode == "atexit" && std::atexit(&destroyAtExit) != 0) {
            return 2;
        }
        static const neverDestroyed<ucxLibrary> ucx(&ucp_init_version);
        const pluginFolder folder("good");
        global.plugin = folder.init();
        global.engine = createEngine(global.plugin, {{"max_rma_rails", "4"}});
        global.settings = std::make_unique<processSettings>(
            *ucx,
            std::vector<ucxSetting>{
                {"DISTANCE_BW", "1000GBs", scope_t::PROCESS, side_t::BOTH, ""}});
        if (mode == "twin") {
            global.mortal = &mortalMap();
        }
        return global.engine == nullptr ? 1 : 0;
    }

} // namespace
} // namespace nixlStripe::testing

int
main(int, char **arguments) {
    return nixlStripe::testing::run(arguments[1]);
}
