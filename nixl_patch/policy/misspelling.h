// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_MISSPELLING_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_MISSPELLING_H

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Letters to insert, delete, replace or swap with their neighbour to make one text the other. */
std::size_t editDistance(std::string_view a, std::string_view b);

/**
 * @brief The key that @p key was probably meant to be.
 *
 * Case and '-' for '_' do not count. One slip is a misspelling, in long keys (12 letters) two;
 * what is further away is somebody else's key.
 *
 * @param known Every key that means something.
 * @param most Slips at most; 1 where many keys that are not in @p known differ by little.
 * @return "" when @p key is one of @p known, or resembles none.
 */
std::string
meantKey(std::string_view key, const std::vector<std::string> &known, std::size_t most = 2);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_MISSPELLING_H
