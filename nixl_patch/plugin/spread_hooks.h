// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file spread_hooks.h
 * @brief Stands between the stock plugin and UCX's RMA, for `stripe_small`.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_SPREAD_HOOKS_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_SPREAD_HOOKS_H

#include "ucx/library.h"

#include <cstddef>
#include <string>

namespace nixlStripe {

/**
 * @brief The redirected imports of the stock plugin. There is one set in a process: its slots are
 *        global, and what is called for contexts that nobody watches goes straight on to UCX.
 */
class spreadHooks {
public:
    /** Redirects the stock plugin's calls that make, use and destroy keys, or leaves a problem().
     */
    static void install(void *stock, const ucxLibrary &ucx);

    /** Why nothing can be watched; "" when it can. */
    static std::string problem();

    /**
     * @brief Spreads what goes through workers of @p context; only where there is no problem().
     * @param chunk Its MIN_RMA_CHUNK_SIZE in bytes.
     */
    static void watch(const void *context, std::size_t chunk);

    /** @p context is left alone, whatever had its address before. */
    static void leaveAlone(const void *context);
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_SPREAD_HOOKS_H
