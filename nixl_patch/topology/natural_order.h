// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NATURAL_ORDER_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NATURAL_ORDER_H

#include <string_view>

namespace nixlStripe {

/**
 * @brief Order of names as people read them: runs of digits compare as numbers.
 * @return true when @p a comes before @p b: "mlx5_2" before "mlx5_10", "a" before "b".
 *
 * A strict weak order on all strings; names that are equal as numbers ("x01", "x1") fall back to
 * the order of their bytes, so that two different names are never equivalent.
 */
bool naturalLess(std::string_view a, std::string_view b);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NATURAL_ORDER_H
