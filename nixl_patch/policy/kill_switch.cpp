// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/kill_switch.h"

#include "topology/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace nixlStripe {
namespace {

    constexpr std::array<std::string_view, 4> on_words = {"1", "true", "yes", "on"};
    constexpr std::array<std::string_view, 5> off_words = {"", "0", "false", "no", "off"};

    template <class Words>
    bool
    isAmong(const Words &words, std::string value) {
        std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        return std::find(words.begin(), words.end(), value) != words.end();
    }

} // namespace

std::string
disabledBy(const std::map<std::string, std::string> &environment) {
    const auto it = environment.find(kill_switch);
    if (it == environment.end() || isAmong(off_words, it->second)) {
        return "";
    }
    const std::string text = "disabled by " + assignment(kill_switch, it->second);
    return isAmong(on_words, it->second)
               ? text
               : text + " (no word for on or off, so taken as on; accepted: 1, true, yes, on, 0, "
                        "false, no, off)";
}

} // namespace nixlStripe
