// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_TEXT_FILE_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_TEXT_FILE_H

#include <cstddef>
#include <string>

namespace nixlStripe {

/**
 * @brief The bytes of a regular file.
 *
 * Never blocks on a FIFO or a device that was named by mistake: the path may come from the
 * environment of a process that serves requests.
 *
 * @throws std::invalid_argument naming @p path when it cannot be opened or read, is no regular file
 *         or holds more than @p max_bytes.
 */
std::string readTextFile(const std::string &path, std::size_t max_bytes);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_TEXT_FILE_H
