// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_REQUEST_PARAMS_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_REQUEST_PARAMS_H

#include "ucx/library.h"

#include <cstddef>
#include <cstdint>

namespace nixlStripe {

/** The start of `ucp_request_param_t`: its members, up to what is used here, never move. */
struct requestParams {
    std::uint32_t fields = 0;
    std::uint32_t flags = 0;
    void *request = nullptr;
    void (*callback)(void *request, ucsStatus_t status, void *user_data) = nullptr;
    std::uint64_t datatype = 0;
    void *userData = nullptr;
    std::uint64_t behind[4] = {};

    /** Bits of `op_attr_mask`. */
    static constexpr std::uint32_t has_request = 1U << 0;
    static constexpr std::uint32_t has_callback = 1U << 1;
    static constexpr std::uint32_t has_user_data = 1U << 2;
    static constexpr std::uint32_t has_datatype = 1U << 3;
    static constexpr std::uint32_t has_flags = 1U << 4;
    /** A reply buffer, a memory type, information of receives, a memory handle: in `behind`. */
    static constexpr std::uint32_t has_more = 0xfU << 5;
};

static_assert(offsetof(requestParams, callback) == 16);
static_assert(offsetof(requestParams, userData) == 32);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_REQUEST_PARAMS_H
