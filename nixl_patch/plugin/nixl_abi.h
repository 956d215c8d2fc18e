// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nixl_abi.h
 * @brief The binary interface between NIXL and its backend plugins, plugin API version 1.
 *
 * Written down from the behaviour of the published wheels (libstdc++ with the C++11 ABI, x86-64
 * and aarch64); the same from NIXL 0.7.1 to 1.5.1. Nothing behind the named members is relied
 * upon, and hasKnownLayout() looks before the first use.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_NIXL_ABI_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_NIXL_ABI_H

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace nixlStripe::abi {

using params_t = std::unordered_map<std::string, std::string>;
using memList_t = std::vector<int>;

constexpr int known_api_version = 1;

/** An engine of the stock plugin; opaque. */
struct engine;

/** What NIXL hands to create_engine; longer in truth. */
struct initParams {
    std::string localAgent;
    std::string type;
    params_t *customParams;
};

static_assert(offsetof(initParams, type) == 32);
static_assert(offsetof(initParams, customParams) == 64);

/** What nixl_plugin_init returns. */
struct plugin {
    int apiVersion;
    engine *(*createEngine)(initParams *);
    void (*destroyEngine)(engine *);
    const char *(*getPluginName)();
    const char *(*getPluginVersion)();
    params_t (*getBackendOptions)();
    memList_t (*getBackendMems)();
};

static_assert(offsetof(plugin, createEngine) == 8);
static_assert(offsetof(plugin, getBackendOptions) == 40);

/**
 * @brief Whether @p params looks as declared above.
 *
 * `type` is "UCX", three characters, which libstdc++ keeps inside the string object: its pointer
 * must point 16 bytes behind itself. Bytes are compared before any member is touched, so another
 * layout is recognised and not followed.
 */
bool hasKnownLayout(const initParams *params);

} // namespace nixlStripe::abi

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_NIXL_ABI_H
