// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_METRICS_PATH_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_METRICS_PATH_H

#include <string>
#include <string_view>

namespace nixlStripe {

constexpr std::string_view metrics_path_accepted =
    "an absolute path that ends in .prom, with %p for the process and %h for the host, or '' for "
    "no file";

/**
 * @brief The file that `stripe_metrics` names.
 *
 * %p and %h are UCX's own (UCX_LOG_FILE): the variable is often the same for many processes, and a
 * folder for many hosts. %% is a percent sign.
 *
 * @param key Parameter or variable, for the error.
 * @param process What %p stands for: see processText().
 * @return "" for "".
 * @throws std::invalid_argument naming key, value and what is accepted.
 */
std::string metricsPath(std::string_view key,
                        const std::string &text,
                        std::string_view process,
                        std::string_view host);

/** metricsPath() with a process and a host that stand for any. */
void checkMetricsPath(std::string_view key, const std::string &text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_METRICS_PATH_H
