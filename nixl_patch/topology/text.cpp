// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/text.h"

namespace nixlStripe {
namespace {

    /** With \\xNN for control characters: one line, and nothing that a terminal acts upon. */
    std::string
    onOneLine(std::string_view text) {
        constexpr std::string_view digits = "0123456789abcdef";
        constexpr unsigned char first_printable = 0x20;
        constexpr unsigned char delete_sign = 0x7f;
        std::string result;
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte >= first_printable && byte != delete_sign) {
                result += c;
                continue;
            }
            result += "\\x";
            result += digits[byte / 16];
            result += digits[byte % 16];
        }
        return result;
    }

} // namespace

void
append(std::string &list, std::string_view item, std::string_view separator) {
    if (!list.empty()) {
        list += separator;
    }
    list += item;
}

std::string
quoted(std::string_view text) {
    return "'" + onOneLine(text) + "'";
}

std::string
assignment(std::string_view key, std::string_view value) {
    return std::string(key) + "=" + quoted(value);
}

std::string
refusalText(std::string_view key,
            std::string_view value,
            std::string_view reason,
            std::string_view accepted) {
    std::string text = assignment(key, value) + ": ";
    text += onOneLine(reason);
    if (!accepted.empty()) {
        text += reason.empty() ? "accepted: " : "; accepted: ";
        text += accepted;
    }
    return text;
}

} // namespace nixlStripe
