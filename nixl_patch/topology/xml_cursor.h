// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_XML_CURSOR_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_XML_CURSOR_H

#include <cstddef>
#include <string>
#include <string_view>

namespace nixlStripe {

bool isXmlSpace(char c);

/**
 * @brief A place in a document, and the tokens that do not depend on its structure.
 *
 * Each function throws std::invalid_argument "origin:line: what is wrong" through fail().
 */
class xmlCursor {
protected:
    /** Both must outlive the cursor. */
    xmlCursor(std::string_view text, const std::string &origin)
        : text_(text)
        , origin_(origin) {}

    [[noreturn]] void fail(const std::string &what);

    /** Line of the cursor, from 1. Counts on from the last call: cheap while the cursor advances.
     */
    std::size_t line();

    bool atEnd() const;
    bool lookingAt(std::string_view what) const;

    /** Refuses documents that are too long or not UTF-8 text; skips a byte order mark. */
    void checkText();

    /** True when there was some. */
    bool skipSpace();

    /** Moves behind the next @p end, which is looked for behind @p opening bytes. */
    void skipPast(std::string_view end, std::size_t opening, const char *what);

    /** True when the cursor was at one. */
    bool skipCommentOrInstruction();

    /** To the end of a DOCTYPE, past an internal subset; nothing of it is kept. */
    void skipDoctype();

    /** @param of_what For the message when there is none. */
    std::string name(const char *of_what);

    /** `&...;` at the cursor, appended to @p out. */
    void reference(std::string &out);

    std::string_view text_;
    std::size_t pos_ = 0;

private:
    void characterReference(std::string_view digits, std::string &out);

    const std::string &origin_;
    std::size_t counted_ = 0; // line_ is the line of this position
    std::size_t line_ = 1;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_XML_CURSOR_H
