// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file metrics_file.h
 * @brief Writes what the agents of this process say of themselves into files.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_METRICS_FILE_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_METRICS_FILE_H

#include "plugin/metrics_text.h"

#include <string>

namespace nixlStripe {

/** Between two texts of the same file, milliseconds. */
constexpr int metrics_interval_ms = 2000;

/**
 * @brief Puts @p text into place under @p path in one step; a reader sees the old or the new one.
 * @throws std::runtime_error with the system's reason.
 */
void replaceFile(const std::string &path, const std::string &text);

/** What becomes of an agent whose file cannot be written at first. */
enum class unwritable_t {
    REFUSE,   /**< an error: its program asked for the file */
    TRY_AGAIN /**< a warning, and the next time: a fleet's setting must not stop a job */
};

/**
 * @brief An agent that stands in a file for as long as this object lives.
 *
 * The file is written when an agent comes, when one goes (with its last figures), and every two
 * seconds meanwhile by the one thread that serves all files of the process; it is there while there
 * is an agent. What the last agent leaves stays: who named the file may read it then.
 */
class agentInFile {
public:
    /**
     * @throws std::runtime_error when the file cannot be written and @p unwritable is REFUSE; then
     * nothing is left behind.
     */
    agentInFile(std::string path,
                agentMetrics agent,
                unwritable_t unwritable = unwritable_t::REFUSE);
    agentInFile(const agentInFile &) = delete;
    agentInFile &operator=(const agentInFile &) = delete;
    ~agentInFile();

private:
    const std::string path_;
    agentMetrics agent_; /**< what it takes over from others changes, under the files' lock */
    const unwritable_t unwritable_;
    const long process_; /**< a forked child has no thread, and the file is not its own */

    friend class metricsFiles;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_METRICS_FILE_H
