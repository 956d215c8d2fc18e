// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/backend.h"
#include "plugin/init_hook.h"
#include "plugin/log.h"
#include "plugin/pass_through.h"
#include "plugin/stock_plugin.h"
#include "topology/never_destroyed.h"

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#define NIXL_STRIPE_EXPORT extern "C" __attribute__((visibility("default"), used))

/** Found in the file by `nixl-stripe patch --status`, which does not load what it inspects. */
NIXL_STRIPE_EXPORT const char nixl_stripe_plugin_version[] =
    "nixl-stripe-plugin-version:" NIXL_STRIPE_VERSION;

namespace {

using namespace nixlStripe;

/** What lasts from NIXL's first look at the plugin to the end of the process. */
struct entryState {
    std::mutex mutex;
    std::unique_ptr<stockPlugin> stock;
    std::string hookError;
    bool wasHooked = false;
};

entryState &
entry() {
    static neverDestroyed<entryState> state;
    return *state;
}

void
hookStock(entryState &state) {
    state.wasHooked = true;
    try {
        initHook::install(state.stock->handle());
    } catch (const std::exception &problem) {
        // Engines with our parameters are refused with this reason; others must not notice.
        state.hookError = problem.what();
        log(logLevel_t::INFO, "unknown NIXL: " + state.hookError);
    }
}

} // namespace

NIXL_STRIPE_EXPORT abi::plugin *
nixl_plugin_init() {
    entryState &state = entry();
    const std::lock_guard<std::mutex> lock(state.mutex);
    try {
        if (!state.stock) {
            state.stock = std::make_unique<stockPlugin>(ownFolder() + "/libplugin_UCX.so.stock");
        }
        if (passesThrough()) {
            return state.stock->init();
        }
        if (!state.wasHooked) {
            hookStock(state);
        }
        abi::plugin *plugin = state.stock->init();
        return plugin == nullptr ? nullptr
                                 : wrapBackend(plugin, state.hookError, state.stock->handle());
    } catch (const std::exception &problem) {
        log(logLevel_t::ERROR, problem.what());
        return nullptr;
    }
}

NIXL_STRIPE_EXPORT void
nixl_plugin_fini() {
    entryState &state = entry();
    const std::lock_guard<std::mutex> lock(state.mutex);
    if (state.stock) {
        state.stock->fini();
    }
}
