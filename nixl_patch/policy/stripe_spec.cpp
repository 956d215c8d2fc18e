// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/stripe_spec.h"

#include "policy/rails.h"

#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr std::array<std::pair<std::string_view, stripeSpec::kind_t>, 6> policies = {{
        {"off", stripeSpec::kind_t::OFF},
        {"all", stripeSpec::kind_t::ALL},
        {"numa", stripeSpec::kind_t::NUMA},
        {"nearest", stripeSpec::kind_t::NEAREST},
        {"fair", stripeSpec::kind_t::FAIR},
        {"auto", stripeSpec::kind_t::AUTO},
    }};

    std::optional<stripeSpec::kind_t>
    findPolicy(std::string_view text) {
        for (const auto &[word, policy] : policies) {
            if (text == word) {
                return policy;
            }
        }
        return std::nullopt;
    }

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
            throw std::invalid_argument(
                std::string(key) + "='" + std::string(text) + "': a count is 1 to " +
                std::to_string(max_rails) +
                ", UCX has no more lanes; accepted: " + std::string(acceptedStripe()));
        }
        return count;
    }

} // namespace

std::string
stripeSpec::text() const {
    if (kind == kind_t::COUNT) {
        return std::to_string(count);
    }
    for (const auto &[word, policy] : policies) {
        if (kind == policy) {
            return std::string(word);
        }
    }
    const std::string text = list.text();
    // A device that is called like a policy or a number: the comma keeps it a list.
    return findPolicy(text) || isNumber(text) ? text + "," : text;
}

bool
stripeSpec::needsGpu() const {
    return kind == kind_t::NUMA || kind == kind_t::NEAREST || kind == kind_t::FAIR ||
           kind == kind_t::AUTO;
}

std::string_view
acceptedStripe() {
    return "'all', 'numa', 'nearest', 'fair', 'auto', 'off', a count from 1 to 64, or a NIC list "
           "in NCCL_IB_HCA's grammar, e.g. '=mlx5_0,mlx5_3:1' (exact names), 'mlx5' (prefix) or "
           "'^=mlx5_9' (all but)";
}

stripeSpec
parseStripe(std::string_view key, std::string_view text) {
    stripeSpec spec;
    if (text.empty()) {
        return spec;
    }
    if (const auto policy = findPolicy(text)) {
        spec.kind = *policy;
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
