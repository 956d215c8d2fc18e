// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/xml_cursor.h"

#include "topology/utf8.h"
#include "topology/xml.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    bool
    isNameStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
               static_cast<unsigned char>(c) >= 0x80;
    }

    bool
    isNameChar(char c) {
        return isNameStart(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
    }

    char
    predefined(std::string_view entity) {
        constexpr std::pair<std::string_view, char> known[] = {
            {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
        for (const auto &[text, plain] : known) {
            if (text == entity) {
                return plain;
            }
        }
        return 0;
    }

} // namespace

bool
isXmlSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t
xmlCursor::line() {
    const auto begin = text_.begin();
    line_ += static_cast<std::size_t>(std::count(begin + static_cast<std::ptrdiff_t>(counted_),
                                                 begin + static_cast<std::ptrdiff_t>(pos_),
                                                 '\n'));
    counted_ = pos_;
    return line_;
}

void
xmlCursor::fail(const std::string &what) {
    throw std::invalid_argument(origin_ + ":" + std::to_string(line()) + ": " + what);
}

bool
xmlCursor::atEnd() const {
    return pos_ >= text_.size();
}

bool
xmlCursor::lookingAt(std::string_view what) const {
    return text_.substr(pos_, what.size()) == what;
}

bool
xmlCursor::skipSpace() {
    const std::size_t start = pos_;
    while (!atEnd() && isXmlSpace(text_[pos_])) {
        ++pos_;
    }
    return pos_ != start;
}

void
xmlCursor::skipPast(std::string_view end, std::size_t opening, const char *what) {
    const std::size_t found = text_.find(end, pos_ + opening);
    if (found == std::string_view::npos) {
        fail(std::string(what) + " without an end");
    }
    pos_ = found + end.size();
}

void
xmlCursor::checkText() {
    if (text_.size() > max_xml_bytes) {
        fail("more than " + std::to_string(max_xml_bytes >> 20) + " MiB");
    }
    if (lookingAt("\xEF\xBB\xBF")) {
        pos_ = 3;
    }
    const std::size_t start = pos_;
    const std::size_t bad = firstNonText(text_);
    if (bad != std::string_view::npos) {
        pos_ = bad;
        fail("no XML in UTF-8: a byte that is not text at offset " + std::to_string(bad));
    }
    pos_ = start;
}

bool
xmlCursor::skipCommentOrInstruction() {
    if (lookingAt("<!--")) {
        skipPast("-->", 4, "comment");
    } else if (lookingAt("<?")) {
        skipPast("?>", 2, "processing instruction");
    } else {
        return false;
    }
    return true;
}

void
xmlCursor::skipDoctype() {
    pos_ += std::strlen("<!DOCTYPE");
    bool in_subset = false;
    while (!atEnd()) {
        const char c = text_[pos_];
        if (skipCommentOrInstruction()) {
            continue;
        }
        if (c == '"' || c == '\'') {
            skipPast(std::string_view(&text_[pos_], 1), 1, "quoted text in the DOCTYPE");
            continue;
        }
        if (c == '[' || c == ']') {
            in_subset = c == '[';
        } else if (c == '>' && !in_subset) {
            ++pos_;
            return;
        }
        ++pos_;
    }
    fail("DOCTYPE without an end");
}

std::string
xmlCursor::name(const char *of_what) {
    const std::size_t start = pos_;
    if (atEnd() || !isNameStart(text_[pos_])) {
        fail(std::string("no name where ") + of_what + " should be");
    }
    while (!atEnd() && isNameChar(text_[pos_])) {
        ++pos_;
    }
    return std::string(text_.substr(start, pos_ - start));
}

void
xmlCursor::reference(std::string &out) {
    // Long enough for &#x10FFFF; with some leading zeros; anything longer is no entity of
    // ours.
    std::size_t end = pos_ + 1;
    while (end < text_.size() && end - pos_ < 24 && (isNameChar(text_[end]) || text_[end] == '#')) {
        ++end;
    }
    if (end >= text_.size() || text_[end] != ';') {
        fail("'&' without an entity behind it");
    }
    const std::string_view inside = text_.substr(pos_ + 1, end - pos_ - 1);
    if (inside.size() > 1 && inside[0] == '#') {
        characterReference(inside.substr(1), out);
    } else if (const char plain = predefined(inside); plain != 0) {
        out += plain;
    } else {
        fail("entity '&" + std::string(inside) +
             ";': only the five of XML itself are known, a DOCTYPE's are not expanded");
    }
    pos_ = end + 1;
}

void
xmlCursor::characterReference(std::string_view digits, std::string &out) {
    const bool hex = digits[0] == 'x';
    digits.remove_prefix(hex ? 1 : 0);
    std::uint32_t code = 0;
    const char *const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, code, hex ? 16 : 10);
    if (error != std::errc() || stop != end || !appendUtf8(code, out)) {
        fail("character reference '&#" + std::string(hex ? "x" : "") + std::string(digits) +
             ";' that names no character");
    }
}

} // namespace nixlStripe
