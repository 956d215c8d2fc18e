// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_UCX_VERSION_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_UCX_VERSION_H

#include <string_view>

namespace nixlStripe {

/**
 * @brief Whether a UCX is one of @p major.@p minor or later.
 * @param version As UCX prints it, "1.23.0"; one that cannot be read is not.
 */
bool isUcxSince(std::string_view version, unsigned major, unsigned minor);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_UCX_VERSION_H
