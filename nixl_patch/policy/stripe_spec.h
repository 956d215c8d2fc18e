// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_STRIPE_SPEC_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_STRIPE_SPEC_H

#include "policy/nccl_list.h"
#include "policy/policies.h"

#include <string>
#include <string_view>

namespace nixlStripe {

/** What `stripe` asks for, parsed but not yet applied to a machine. */
struct stripeSpec {
    enum class kind_t {
        POLICY, /**< a word of policyTable() */
        COUNT,  /**< that many, by distance from the GPU (if one is known), then natural order */
        LIST,   /**< by name */
    };
    kind_t kind = kind_t::POLICY;
    const policyInfo *policy = findPolicy("off"); /**< with POLICY */
    unsigned count = 0;                           /**< 1..max_rails with COUNT */
    ncclList list;                                /**< with LIST */

    /** A text that parses to the same request. */
    std::string text() const;

    /** Whether nothing changes. */
    bool
    isOff() const {
        return kind == kind_t::POLICY && policy->narrow == nullptr;
    }

    gpuNeed_t
    gpuNeed() const {
        return kind == kind_t::POLICY ? policy->gpuNeed : gpuNeed_t::NONE;
    }

    /** Whether it can only be answered for a particular GPU. */
    bool
    needsGpu() const {
        return kind == kind_t::POLICY && policy->needsGpu();
    }

    /** Whether a GPU that was named has to be there. */
    bool
    usesGpu() const {
        return gpuNeed() != gpuNeed_t::NONE;
    }

    /** Whether what `nixl-stripe tune` measured can change what it takes. */
    bool
    readsCalibration() const {
        return kind == kind_t::POLICY && policy->readsCalibration;
    }

    bool
    operator==(const stripeSpec &other) const {
        return kind == other.kind && policy == other.policy && count == other.count &&
               list == other.list;
    }
};

/** The sentence about accepted values that every error of `stripe` ends with. */
const std::string &acceptedStripe();

/**
 * @brief Parses `stripe`: a policy, a count or a list; "" is 'off'.
 * @param key Parameter or variable the text came from; named in errors.
 * @throws std::invalid_argument naming key, value and what is accepted. A word that is neither a
 *         policy nor a count is a list, so a misspelt policy is found when no device matches it.
 */
stripeSpec parseStripe(std::string_view key, std::string_view text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_STRIPE_SPEC_H
