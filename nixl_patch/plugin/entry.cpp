// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/backend.h"
#include "plugin/init_hook.h"
#include "plugin/log.h"
#include "plugin/pass_through.h"
#include "plugin/stock_plugin.h"

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

std::mutex entry_mutex;
std::unique_ptr<stockPlugin> stock_plugin;
std::string hook_error;
bool was_hooked = false;

void
hookStock() {
    was_hooked = true;
    try {
        initHook::install(stock_plugin->handle());
    } catch (const std::exception &problem) {
        hook_error = problem.what();
        log(logLevel_t::WARN, "unknown NIXL: " + hook_error);
    }
}

} // namespace

NIXL_STRIPE_EXPORT abi::plugin *
nixl_plugin_init() {
    const std::lock_guard<std::mutex> lock(entry_mutex);
    try {
        if (!stock_plugin) {
            stock_plugin = std::make_unique<stockPlugin>(ownFolder() + "/libplugin_UCX.so.stock");
        }
        if (passesThrough()) {
            return stock_plugin->init();
        }
        if (!was_hooked) {
            hookStock();
        }
        abi::plugin *plugin = stock_plugin->init();
        return plugin == nullptr ? nullptr : wrapBackend(plugin, hook_error);
    } catch (const std::exception &problem) {
        log(logLevel_t::ERROR, problem.what());
        return nullptr;
    }
}

NIXL_STRIPE_EXPORT void
nixl_plugin_fini() {
    const std::lock_guard<std::mutex> lock(entry_mutex);
    if (stock_plugin) {
        stock_plugin->fini();
    }
}
