// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENDPOINT_PARAMS_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENDPOINT_PARAMS_H

#include <cstddef>
#include <cstdint>

namespace nixlStripe {

/** The start of `ucp_ep_params_t`: its members, up to what is used here, never move. */
struct endpointParams {
    std::uint64_t fields = 0;
    const void *address = nullptr;
    std::int32_t errorMode = 0;
    std::int32_t gap = 0;
    void (*errorCallback)(void *, void *, std::int8_t) = nullptr;
    void *errorArgument = nullptr;

    /** Bits of `field_mask`: address, error mode and error handler are what is in this struct. */
    static constexpr std::uint64_t has_error_mode = 1U << 1;
    static constexpr std::uint64_t known = 0x7;

    /** `ucp_err_handling_mode_t` */
    static constexpr std::int32_t peer = 1;
    static constexpr std::int32_t failover = 2;

    /** Bytes that no UCX 1.x looks beyond. */
    static constexpr std::size_t room = 512;
};

static_assert(offsetof(endpointParams, errorMode) == 16);
static_assert(offsetof(endpointParams, errorCallback) == 24);
static_assert(sizeof(endpointParams) == 40);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENDPOINT_PARAMS_H
