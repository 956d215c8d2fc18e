// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_STOCK_PLUGIN_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_STOCK_PLUGIN_H

#include "plugin/nixl_abi.h"

#include <string>

namespace nixlStripe {

/** Folder of the library that holds this code. */
std::string ownFolder();

/**
 * @brief The backend that this plugin took the place of: libplugin_UCX.so.stock beside it.
 *
 * Loaded once and never unloaded: NIXL asks for a plugin's parameters by loading and unloading it,
 * and UCX does not survive being unloaded.
 */
class stockPlugin {
public:
    /** @throws std::runtime_error naming the file and what is wrong with it. */
    explicit stockPlugin(const std::string &path);

    void *
    handle() const {
        return handle_;
    }

    /** Calls the stock nixl_plugin_init; nullptr when it refuses. */
    abi::plugin *
    init() const {
        return init_();
    }

    void fini() const;

private:
    void *handle_;
    abi::plugin *(*init_)();
    void (*fini_)();
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_STOCK_PLUGIN_H
