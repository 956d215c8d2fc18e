// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_CONFIG_TEXT_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_CONFIG_TEXT_H

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace nixlStripe {

/** `ucp_config_print`'s "UCX_KEY=value" lines; keys without the prefix. Other lines are skipped. */
std::map<std::string, std::string> parseConfigText(std::string_view text);

/** Device names of `ucp_context_print_info`'s "resource ... -- transport/device" lines. */
std::set<std::string> parseContextDevices(std::string_view text);

/**
 * @brief NIXL's `engine_config`, "KEY=value,KEY=value".
 *
 * Splits on commas as the stock plugin does (which is why values cannot be lists). White space
 * around keys and values and a UCX_ prefix are dropped; entries without '=' are skipped.
 */
std::map<std::string, std::string> parseEngineConfig(std::string_view text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_CONFIG_TEXT_H
