// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/utf8.h"

namespace nixlStripe {
namespace {

    bool
    isTextCode(std::uint32_t code) {
        if (code < 0x20) {
            return code == '\t' || code == '\n' || code == '\r';
        }
        const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        return !surrogate && code != 0xFFFE && code != 0xFFFF && code <= 0x10FFFF;
    }

    /** Bytes of the sequence that @p lead begins, 0 when none begins with it. */
    std::size_t
    sequenceLength(unsigned char lead) {
        if (lead < 0x80) {
            return 1;
        }
        if (lead >= 0xC2 && lead < 0xE0) {
            return 2;
        }
        if (lead >= 0xE0 && lead < 0xF0) {
            return 3;
        }
        return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
    }

} // namespace

std::size_t
decodeUtf8(std::string_view bytes, std::size_t pos, std::uint32_t &code) {
    constexpr std::uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(bytes[pos]);
    const std::size_t length = sequenceLength(lead);
    if (length == 0 || bytes.size() - pos < length) {
        return 0;
    }
    code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(bytes[pos + i]);
        if ((next & 0xC0u) != 0x80u) {
            return 0;
        }
        code = (code << 6) | (next & 0x3Fu);
    }
    return code >= lowest[length] ? length : 0;
}

std::size_t
firstNonText(std::string_view bytes) {
    std::size_t pos = 0;
    while (pos < bytes.size()) {
        std::uint32_t code = 0;
        const std::size_t length = decodeUtf8(bytes, pos, code);
        if (length == 0 || !isTextCode(code)) {
            return pos;
        }
        pos += length;
    }
    return std::string_view::npos;
}

bool
appendUtf8(std::uint32_t code, std::string &out) {
    if (!isTextCode(code)) {
        return false;
    }
    const auto continuation = [code](unsigned shift) {
        return static_cast<char>(0x80u | ((code >> shift) & 0x3Fu));
    };
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0u | (code >> 6));
        out += continuation(0);
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0u | (code >> 12));
        out += continuation(6);
        out += continuation(0);
    } else {
        out += static_cast<char>(0xF0u | (code >> 18));
        out += continuation(12);
        out += continuation(6);
        out += continuation(0);
    }
    return true;
}

} // namespace nixlStripe
