// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/text.h"

#include "topology/utf8.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace nixlStripe {
namespace {

    struct codeRange {
        std::uint32_t first, last;
    };

    /** C0 and C1, what has no width or turns the direction, line ends of Unicode. */
    constexpr codeRange unseen[] = {{0, 0x1f},
                                    {0x7f, 0x9f},
                                    {0xad, 0xad},
                                    {0x61c, 0x61c},
                                    {0x180e, 0x180e},
                                    {0x200b, 0x200f},
                                    {0x2028, 0x202e},
                                    {0x2060, 0x206f},
                                    {0xd800, 0xdfff},
                                    {0xfeff, 0xfeff},
                                    {0xfff9, 0xfffb}};

    bool
    isSeen(std::uint32_t code) {
        return std::none_of(std::begin(unseen), std::end(unseen), [&](const codeRange &each) {
            return code >= each.first && code <= each.last;
        });
    }

    /** "\\x1b", "\\u202e": as Python writes them. */
    void
    escape(std::uint32_t code, std::string &result) {
        constexpr std::string_view digits = "0123456789abcdef";
        result += code <= 0xff ? "\\x" : "\\u";
        for (int shift = code <= 0xff ? 4 : 12; shift >= 0; shift -= 4) {
            result += digits[code >> shift & 0xf];
        }
    }

} // namespace

std::string
onOneLine(std::string_view text) {
    std::string result;
    for (std::size_t pos = 0; pos < text.size();) {
        std::uint32_t code = 0;
        const std::size_t length = decodeUtf8(text, pos, code);
        if (length == 0) {
            escape(static_cast<unsigned char>(text[pos]), result);
        } else if (isSeen(code)) {
            result += text.substr(pos, length);
        } else {
            escape(code, result);
        }
        pos += std::max<std::size_t>(length, 1);
    }
    return result;
}

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
