// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file text.h
 * @brief Lists and values in messages: one way to join, to quote and to refuse.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_TEXT_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_TEXT_H

#include <stdexcept>
#include <string>
#include <string_view>

namespace nixlStripe {

/** Puts @p item behind @p list, and @p separator between them where there is something already. */
void append(std::string &list, std::string_view item, std::string_view separator = ", ");

/** "mlx5_0, mlx5_1": any range of texts. */
template <class Items>
std::string
joined(const Items &items, std::string_view separator = ", ") {
    std::string text;
    for (const auto &item : items) {
        append(text, item, separator);
    }
    return text;
}

/**
 * @brief A text that can do nothing but be read, on one line: an escape (\x1b, \u202e) for each
 *        control character (those beyond ASCII too, which a terminal obeys as well), for what
 *        turns the direction of text or is not seen, and for each byte that is not UTF-8.
 */
std::string onOneLine(std::string_view text);

/** "'all'": a text that somebody else wrote. */
std::string quoted(std::string_view text);

/** "stripe='all'": a key with the value that it was given. */
std::string assignment(std::string_view key, std::string_view value);

/**
 * @brief "stripe='65': a count is 1 to 64; accepted: 'all', ...": what is wrong with a value.
 * @param reason "" where what is accepted says it all.
 * @param accepted "" where nothing can be said.
 */
std::string refusalText(std::string_view key,
                        std::string_view value,
                        std::string_view reason,
                        std::string_view accepted);

/** @throws error_t with refusalText. */
template <class error_t = std::invalid_argument>
[[noreturn]] void
refuse(std::string_view key,
       std::string_view value,
       std::string_view reason,
       std::string_view accepted) {
    throw error_t(refusalText(key, value, reason, accepted));
}

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_TEXT_H
