// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file metrics_text.h
 * @brief What agents say of themselves, as text that OpenMetrics' and Prometheus' readers both
 * take.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_METRICS_TEXT_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_METRICS_TEXT_H

#include "recovery/loss_book.h"
#include "ucx/account.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Who writes: `export` looks whether it still lives. */
struct writingProcess {
    long id = 0;
    std::uint64_t startTicks = 0;   /**< field 22 of /proc/self/stat */
    std::uint64_t pidNamespace = 0; /**< inode of /proc/self/ns/pid: where `id` means something */
    std::string host;
};

/** @throws std::runtime_error when /proc cannot be read. */
writingProcess thisProcess();

/**
 * @brief A name of the process that no other of its machine has: "4711", in a container
 * "1-4026532".
 *
 * Pods of one node that share its network share its host name too, and each has a process 1.
 */
std::string processText(const writingProcess &process);

/** What an agent has done. */
struct agentTotals {
    accountTotals account;
    lossTotals losses;

    agentTotals &operator+=(const agentTotals &more);
};

/** One agent with one engine. */
struct agentMetrics {
    std::string name;                 /**< NIXL's; the label agent_name of its exporters */
    std::vector<std::string> devices; /**< that the plan chose */
    unsigned rails = 0;               /**< 0: UCX's default */
    std::map<std::string, std::string> settings; /**< of UCX, in force; without UCX_ */
    std::string ucxVersion;
    std::shared_ptr<const account> book;    /**< nullptr: its bytes cannot be told */
    std::shared_ptr<const lossBook> losses; /**< nullptr: its transfers are not resumed */
    agentTotals earlier; /**< of engines of its name that have ended: no counter falls */

    /** With the earlier ones. */
    agentTotals totals() const;
};

/**
 * @brief The whole text, with its end mark.
 * @param agents Those of the same name are shown as one, with the first one's settings.
 */
std::string metricsText(const writingProcess &process, const std::vector<agentMetrics> &agents);

/** A label's value between quotes: one line of UTF-8, at most 128 bytes of @p text. */
std::string labelText(std::string_view text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_METRICS_TEXT_H
