// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/natural_order.h"

#include <cstddef>

namespace nixlStripe {
namespace {

    bool
    isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** The digits at @p pos without leading zeros; @p pos moves behind them. Any length: no
     * overflow. */
    std::string_view
    number(std::string_view text, std::size_t &pos) {
        while (pos < text.size() && text[pos] == '0') {
            ++pos;
        }
        const std::size_t start = pos;
        while (pos < text.size() && isDigit(text[pos])) {
            ++pos;
        }
        return text.substr(start, pos - start);
    }

} // namespace

bool
naturalLess(std::string_view a, std::string_view b) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        if (isDigit(a[i]) && isDigit(b[j])) {
            const std::string_view left = number(a, i);
            const std::string_view right = number(b, j);
            if (left.size() != right.size()) {
                return left.size() < right.size();
            }
            if (left != right) {
                return left < right;
            }
            continue;
        }
        if (a[i] != b[j]) {
            return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
        }
        ++i;
        ++j;
    }
    if (i < a.size() || j < b.size()) {
        return i == a.size();
    }
    return a < b;
}

} // namespace nixlStripe
