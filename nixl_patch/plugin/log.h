// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_LOG_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_LOG_H

#include <string>

namespace nixlStripe {

enum class logLevel_t { TRACE, DEBUG, INFO, WARN, ERROR, FATAL };

/**
 * @brief One line on stderr in the form of NIXL's own, when NIXL_LOG_LEVEL admits @p level.
 *
 * NIXL_LOG_LEVEL is TRACE, DEBUG, INFO, WARN (the default, as in NIXL), ERROR or FATAL.
 */
void log(logLevel_t level, const std::string &message);

/**
 * @brief log(), the first time that this process has @p message to say.
 *
 * For what an agent after the other would repeat. At most 256 messages are remembered; later ones
 * are said each time.
 */
void logOnce(logLevel_t level, const std::string &message);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_LOG_H
