// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file backend.h
 * @brief The functions that take the place of the stock plugin's in its plugin struct.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_BACKEND_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_BACKEND_H

#include "plugin/nixl_abi.h"

#include <string>

namespace nixlStripe {

/**
 * @brief Wraps create_engine, destroy_engine and get_backend_options of @p stock, in place.
 *
 * In place, because a newer NIXL's struct may be longer than the one declared here.
 *
 * @param stock The struct that the stock plugin's nixl_plugin_init returned.
 * @param hook_error Why the UCX settings cannot be reached, "" when they can. Then engines without
 *        our parameters are created as ever and others are refused with that reason.
 * @param handle Handle of the stock plugin.
 * @return What this plugin's nixl_plugin_init returns: @p stock, untouched when it is unknown.
 */
abi::plugin *wrapBackend(abi::plugin *stock, const std::string &hook_error, void *handle);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_BACKEND_H
