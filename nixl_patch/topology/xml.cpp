// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/xml.h"

#include "topology/text_file.h"
#include "topology/utf8.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace nixlStripe {
namespace {

    bool
    isSpace(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }

    bool
    isNameStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
               static_cast<unsigned char>(c) >= 0x80;
    }

    bool
    isNameChar(char c) {
        return isNameStart(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
    }

    class xmlParser {
    public:
        xmlParser(std::string_view text, const std::string &origin)
            : text_(text)
            , origin_(origin) {}

        xmlElement
        document() {
            checkText();
            skipMisc(true);
            if (!lookingAt("<")) {
                fail(atEnd() ? "no element in it" : "text where the first element should begin");
            }
            xmlElement root = element();
            skipMisc(false);
            if (!atEnd()) {
                fail("something follows the end of <" + root.name + ">");
            }
            return root;
        }

    private:
        std::string_view text_;
        const std::string &origin_;
        std::size_t pos_ = 0;
        std::size_t counted_ = 0; // line_ is the line of this position
        std::size_t line_ = 1;
        std::size_t elements_ = 0;

        std::size_t
        line() {
            const auto begin = text_.begin();
            line_ +=
                static_cast<std::size_t>(std::count(begin + static_cast<std::ptrdiff_t>(counted_),
                                                    begin + static_cast<std::ptrdiff_t>(pos_),
                                                    '\n'));
            counted_ = pos_;
            return line_;
        }

        [[noreturn]] void
        fail(const std::string &what) {
            throw std::invalid_argument(origin_ + ":" + std::to_string(line()) + ": " + what);
        }

        bool
        atEnd() const {
            return pos_ >= text_.size();
        }

        bool
        lookingAt(std::string_view what) const {
            return text_.substr(pos_, what.size()) == what;
        }

        bool
        skipSpace() {
            const std::size_t start = pos_;
            while (!atEnd() && isSpace(text_[pos_])) {
                ++pos_;
            }
            return pos_ != start;
        }

        void
        skipPast(std::string_view end, std::size_t opening, const char *what) {
            const std::size_t found = text_.find(end, pos_ + opening);
            if (found == std::string_view::npos) {
                fail(std::string(what) + " without an end");
            }
            pos_ = found + end.size();
        }

        void
        checkText() {
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
        skipCommentOrInstruction() {
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
        skipMisc(bool in_prolog) {
            bool doctype_seen = false;
            for (;;) {
                if (skipSpace() || skipCommentOrInstruction()) {
                    continue;
                }
                if (!in_prolog || !lookingAt("<!DOCTYPE")) {
                    return;
                }
                if (doctype_seen) {
                    fail("a second DOCTYPE");
                }
                doctype_seen = true;
                skipDoctype();
            }
        }

        /** To the end of the declaration, past an internal subset; nothing of it is kept. */
        void
        skipDoctype() {
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
        name(const char *of_what) {
            const std::size_t start = pos_;
            if (atEnd() || !isNameStart(text_[pos_])) {
                fail(std::string("no name where ") + of_what + " should be");
            }
            while (!atEnd() && isNameChar(text_[pos_])) {
                ++pos_;
            }
            return std::string(text_.substr(start, pos_ - start));
        }

        /** `&...;` at the cursor, appended to @p out. */
        void
        reference(std::string &out) {
            // Long enough for &#x10FFFF; with some leading zeros; anything longer is no entity of
            // ours.
            std::size_t end = pos_ + 1;
            while (end < text_.size() && end - pos_ < 24 &&
                   (isNameChar(text_[end]) || text_[end] == '#')) {
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

        static char
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

        void
        characterReference(std::string_view digits, std::string &out) {
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

        std::string
        attributeValue(const std::string &key) {
            if (atEnd() || (text_[pos_] != '"' && text_[pos_] != '\'')) {
                fail("attribute '" + key + "' without a quoted value");
            }
            const char quote = text_[pos_++];
            std::string value;
            while (!atEnd() && text_[pos_] != quote) {
                const char c = text_[pos_];
                if (c == '<') {
                    fail("'<' inside the value of attribute '" + key + "'");
                }
                if (c == '&') {
                    reference(value);
                    continue;
                }
                value += isSpace(c) ? ' ' : c;
                ++pos_;
            }
            if (atEnd()) {
                fail("attribute '" + key + "' whose value does not end");
            }
            ++pos_;
            return value;
        }

        void
        attributes(xmlElement &out) {
            for (;;) {
                const bool spaced = skipSpace();
                if (atEnd() || text_[pos_] == '>' || text_[pos_] == '/') {
                    return;
                }
                if (!spaced) {
                    fail("no space before the next attribute of <" + out.name + ">");
                }
                std::string key = name("an attribute");
                skipSpace();
                if (!lookingAt("=")) {
                    fail("attribute '" + key + "' without '='");
                }
                ++pos_;
                skipSpace();
                if (out.attribute(key) != nullptr) {
                    fail("attribute '" + key + "' twice in <" + out.name + ">");
                }
                if (out.attributes.size() == max_xml_attributes) {
                    fail("more than " + std::to_string(max_xml_attributes) + " attributes in <" +
                         out.name + ">");
                }
                std::string value = attributeValue(key);
                out.attributes.emplace_back(std::move(key), std::move(value));
            }
        }

        /** A start tag; true when it is complete in itself (`<a/>`). */
        bool
        startTag(xmlElement &out) {
            if (++elements_ > max_xml_elements) {
                fail("more than " + std::to_string(max_xml_elements) + " elements");
            }
            out.line = line();
            ++pos_;
            out.name = name("an element");
            attributes(out);
            const bool empty = lookingAt("/>");
            if (!empty && !lookingAt(">")) {
                fail("<" + out.name + " that does not end with '>'");
            }
            pos_ += empty ? 2 : 1;
            return empty;
        }

        void
        endTag(const xmlElement &open) {
            pos_ += 2;
            const std::string closing = name("an end tag's element");
            if (closing != open.name) {
                fail("</" + closing + "> where </" + open.name + "> should be (opened in line " +
                     std::to_string(open.line) + ")");
            }
            skipSpace();
            if (!lookingAt(">")) {
                fail("</" + closing + " that does not end with '>'");
            }
            ++pos_;
        }

        /** Character data up to the next '<'; checked, not kept. */
        void
        skipContent() {
            std::string dropped;
            while (!atEnd() && text_[pos_] != '<') {
                if (text_[pos_] == '&') {
                    reference(dropped);
                } else {
                    ++pos_;
                }
            }
        }

        /** An element with all that is in it. Loops instead of recursing: depth costs no stack. */
        xmlElement
        element() {
            std::vector<xmlElement> open(1);
            if (startTag(open.back())) {
                return std::move(open.back());
            }
            for (;;) {
                skipContent();
                if (atEnd()) {
                    fail("the file ends inside <" + open.back().name + "> (opened in line " +
                         std::to_string(open.back().line) + ")");
                }
                if (skipCommentOrInstruction()) {
                    continue;
                }
                if (lookingAt("<![CDATA[")) {
                    skipPast("]]>", 9, "CDATA section");
                } else if (lookingAt("</")) {
                    endTag(open.back());
                    xmlElement done = std::move(open.back());
                    open.pop_back();
                    if (open.empty()) {
                        return done;
                    }
                    open.back().children.push_back(std::move(done));
                } else {
                    child(open);
                }
            }
        }

        void
        child(std::vector<xmlElement> &open) {
            if (open.size() == max_xml_depth) {
                fail("elements nested deeper than " + std::to_string(max_xml_depth));
            }
            xmlElement next;
            if (startTag(next)) {
                open.back().children.push_back(std::move(next));
            } else {
                open.push_back(std::move(next));
            }
        }
    };

} // namespace

const std::string *
xmlElement::attribute(std::string_view key) const {
    for (const auto &[name_, value] : attributes) {
        if (name_ == key) {
            return &value;
        }
    }
    return nullptr;
}

std::string_view
xmlElement::text(std::string_view key) const {
    const std::string *const value = attribute(key);
    return value == nullptr ? std::string_view() : std::string_view(*value);
}

xmlElement
parseXml(std::string_view text, const std::string &origin) {
    return xmlParser(text, origin).document();
}

xmlElement
readXmlFile(const std::string &path) {
    return parseXml(readTextFile(path, max_xml_bytes), path);
}

} // namespace nixlStripe
