// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_RAILS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_RAILS_H

#include <string>
#include <string_view>

namespace nixlStripe {

/** UCX has 64 lanes an endpoint; more rails cannot exist. */
constexpr unsigned max_rails = 64;

/** What a user asked for with `max_rma_rails`. */
struct railRequest {
    enum class kind_t {
        UNSET, /**< stock behaviour */
        AUTO,  /**< size of the NIC set */
        COUNT, /**< exactly `count` */
    };
    kind_t kind = kind_t::UNSET;
    unsigned count = 0; /**< 1..max_rails with COUNT */
};

/** What `max_rma_rails` takes, for errors and docs. */
const std::string &acceptedRails();

/**
 * @brief Parses `max_rma_rails`: "", "auto" or a whole number 1..64.
 * @param key Parameter or variable the text came from; named in errors.
 * @throws std::invalid_argument naming key, value and what is accepted. UCX's own parser takes
 *         "4x" and "-1" and loses the striped path silently at 0 and 256, hence no second opinion.
 */
railRequest parseRails(std::string_view key, std::string_view text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_RAILS_H
