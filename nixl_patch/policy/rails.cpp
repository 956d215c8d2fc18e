// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/rails.h"

#include "topology/text.h"

#include <charconv>

namespace nixlStripe {

const std::string &
acceptedRails() {
    static const auto &text = *new std::string(
        "a whole number from 1 to " + std::to_string(max_rails) +
        ", 'auto' (as many as there are NICs in the set), or '' (stock behaviour)");
    return text;
}

railRequest
parseRails(std::string_view key, std::string_view text) {
    if (text.empty()) {
        return {};
    }
    if (text == "auto") {
        return {railRequest::kind_t::AUTO, 0};
    }
    unsigned count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1 ||
        count > max_rails) {
        refuse(key, text, "", acceptedRails());
    }
    return {railRequest::kind_t::COUNT, count};
}

} // namespace nixlStripe
