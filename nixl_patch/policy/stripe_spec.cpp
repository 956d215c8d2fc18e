// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/stripe_spec.h"

#include "policy/rails.h"
#include "topology/text.h"

#include <charconv>

namespace nixlStripe {
namespace {

    /** Also "-1" and "4.5", which are meant as counts and not as names of devices. */
    bool
    isNumber(std::string_view text) {
        return text.find_first_not_of("0123456789+-.") == std::string_view::npos;
    }

    unsigned
    parseCount(std::string_view key, std::string_view text) {
        unsigned count = 0;
        const char *end = text.data() + text.size();
        const auto result = std::from_chars(text.data(), end, count);
        if (result.ec != std::errc() || result.ptr != end || count < 1 || count > max_rails) {
            refuse(key,
                   text,
                   "a count is 1 to " + std::to_string(max_rails) + ", UCX has no more lanes",
                   acceptedStripe());
        }
        return count;
    }

    std::string
    policyWords() {
        std::string words;
        for (const policyInfo &each : policyTable()) {
            append(words, quoted(each.word));
        }
        return words;
    }

} // namespace

std::string
stripeSpec::text() const {
    switch (kind) {
    case kind_t::POLICY:
        return std::string(policy->word);
    case kind_t::COUNT:
        return std::to_string(count);
    case kind_t::LIST:
        break;
    }
    const std::string text = list.text();
    // A device that is called like a policy or a number: the comma keeps it a list.
    return findPolicy(text) != nullptr || isNumber(text) ? text + "," : text;
}

const std::string &
acceptedStripe() {
    static const auto &text = *new std::string(
        policyWords() + ", a count from 1 to " + std::to_string(max_rails) +
        ", or a NIC list in NCCL_IB_HCA's grammar, e.g. '=mlx5_0,mlx5_3:1' (exact names), 'mlx5' "
        "(prefix) or '^=mlx5_9' (all but)");
    return text;
}

stripeSpec
parseStripe(std::string_view key, std::string_view text) {
    stripeSpec spec;
    if (text.empty()) {
        return spec;
    }
    if (const policyInfo *policy = findPolicy(text)) {
        spec.policy = policy;
        return spec;
    }
    if (isNumber(text)) {
        spec.kind = stripeSpec::kind_t::COUNT;
        spec.count = parseCount(key, text);
        return spec;
    }
    spec.kind = stripeSpec::kind_t::LIST;
    spec.list = parseNcclList(key, text, acceptedStripe());
    return spec;
}

} // namespace nixlStripe
