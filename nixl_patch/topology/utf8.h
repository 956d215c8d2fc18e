// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_UTF8_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nixlStripe {

/**
 * @brief Offset of the first byte that is not part of text: not UTF-8 (overlong forms, surrogates
 * and beyond U+10FFFF included) or a control character other than tab, line feed and carriage
 *        return. npos when all of it is text.
 */
std::size_t firstNonText(std::string_view bytes);

/**
 * @brief Reads the character at @p pos.
 * @param code its number.
 * @return its bytes; 0 where there is none (not UTF-8, overlong forms included).
 */
std::size_t decodeUtf8(std::string_view bytes, std::size_t pos, std::uint32_t &code);

/** Appends a character; false (and nothing appended) for a code that XML does not allow in text. */
bool appendUtf8(std::uint32_t code, std::string &out);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_UTF8_H
