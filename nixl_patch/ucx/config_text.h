// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_CONFIG_TEXT_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_CONFIG_TEXT_H

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** `ucp_config_print`'s "UCX_KEY=value" lines; keys without the prefix. Other lines are skipped. */
std::map<std::string, std::string> parseConfigText(std::string_view text);

/** Device names of `ucp_context_print_info`'s "resource ... -- transport/device" lines. */
std::set<std::string> parseContextDevices(std::string_view text);

/** A lane that carries RMA, as its owner's end has it. */
struct rmaLane {
    unsigned domain = 0; /**< the memory domain at the peer that it reaches, 0..63 */
    std::string device;  /**< the NIC at this end, "mlx5_0:1"; "" where UCX does not say */
};

/**
 * @brief The lanes that carry RMA, of `ucp_ep_print_info`'s "lane[0]: ... -> md[5]/... rma_bw#0"
 *        lines.
 * @return The lanes in order. Empty when a line of a lane cannot be read: a part of the lanes would
 *         be worse than none.
 */
std::vector<rmaLane> parseRmaLanes(std::string_view text);

/**
 * @brief NIXL's `engine_config`, "KEY=value,KEY=value".
 *
 * Splits on commas as the stock plugin does (which is why values cannot be lists). White space
 * around keys and values and a UCX_ prefix are dropped; entries without '=' are skipped.
 */
std::map<std::string, std::string> parseEngineConfig(std::string_view text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_CONFIG_TEXT_H
