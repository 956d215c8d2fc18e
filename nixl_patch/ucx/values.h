// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file values.h
 * @brief Values of UCX settings as UCX itself reads them.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H

#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

std::string lowered(std::string text);

/** "y", "yes", "on", "1", "true" and their opposites, in any case; nothing for another text. */
std::optional<bool> ucxBool(const std::string &value);

/** A whole number; nothing for "inf", "auto" and texts that are none. */
std::optional<unsigned> ucxCount(const std::string &value);

/** Entries separated by commas, without a leading '^', white space and empty ones. */
std::vector<std::string> ucxList(const std::string &value);

/** Bytes, "8k", "1m", "64", with UCX's units; nothing for "inf", "auto" and texts that are none. */
std::optional<double> ucxSize(const std::string &value);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H
