// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/xml.h"

#include "topology/text_file.h"
#include "topology/xml_cursor.h"

namespace nixlStripe {
namespace {

    class xmlParser : private xmlCursor {
    public:
        xmlParser(std::string_view text, const std::string &origin)
            : xmlCursor(text, origin) {}

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
        std::size_t elements_ = 0;

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
                value += isXmlSpace(c) ? ' ' : c;
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
