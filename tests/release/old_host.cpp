// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file host.cpp
 * @brief Creates an engine as NIXL does, for a system whose Python is too old for NIXL's own
 * module.
 */
#include "plugin/nixl_abi.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>

using namespace nixlStripe;

namespace {

/** NIXL's struct goes on behind what we know; zeros there: no progress thread, no locks. */
struct longerInit {
    abi::initParams known;
    char rest[256] = {};
};

} // namespace

/**
 * @brief Creates an engine with one parameter and destroys it.
 * @param init The plugin's nixl_plugin_init.
 * @param key The parameter; "" for none.
 * @param text Receives what was thrown, or "created".
 * @return 0 created, 1 std::invalid_argument, 2 another std::exception, 3 no engine.
 */
extern "C" int
createEngine(abi::plugin *(*init)(), const char *key, const char *value, char *text, size_t size) {
    abi::params_t params;
    if (*key != '\0') {
        params[key] = value;
    }
    longerInit wish{{"old", "UCX", &params}};
    const abi::plugin *plugin = init();
    try {
        abi::engine *engine = plugin->createEngine(&wish.known);
        std::snprintf(text, size, "%s", engine == nullptr ? "no engine" : "created");
        if (engine == nullptr) {
            return 3;
        }
        plugin->destroyEngine(engine);
        return 0;
    } catch (const std::invalid_argument &problem) {
        std::snprintf(text, size, "%s", problem.what());
        return 1;
    } catch (const std::exception &problem) {
        std::snprintf(text, size, "%s", problem.what());
        return 2;
    }
}
