// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// A C++ program whose engine is destroyed after main(): late_agent PLUGIN global|atexit KEY
// VALUE...
#include "plugin/nixl_abi.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <exception>
#include <string>

using namespace nixlStripe;

namespace {

/** NIXL's struct goes on behind what we know; zeros there: no progress thread, no locks. */
struct longerInit {
    abi::initParams known;
    char rest[256] = {};
};

struct lateEngine {
    abi::plugin *plugin = nullptr;
    abi::engine *engine = nullptr;

    void
    destroy() {
        if (engine != nullptr) {
            plugin->destroyEngine(engine);
            engine = nullptr;
            std::puts("destroyed late");
            std::fflush(stdout);
        }
    }

    ~lateEngine() {
        destroy();
    }
};

lateEngine global; // made before the plugin is loaded

void
destroyAtExit() {
    global.destroy();
}

} // namespace

int
main(int count, char **arguments) {
    if (std::string(arguments[2]) == "atexit" && std::atexit(&destroyAtExit) != 0) {
        return 2;
    }
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::puts(dlerror());
        return 3;
    }
    const auto init = reinterpret_cast<abi::plugin *(*)()>(dlsym(library, "nixl_plugin_init"));
    abi::params_t params;
    for (int i = 3; i + 1 < count; i += 2) {
        params[arguments[i]] = arguments[i + 1];
    }
    longerInit wish{{"late", "UCX", &params}};
    try {
        global.plugin = init();
        global.engine = global.plugin->createEngine(&wish.known);
    } catch (const std::exception &problem) {
        std::puts(problem.what());
    }
    return global.engine == nullptr ? 1 : 0;
}
