// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/misspelling.h"

#include <algorithm>
#include <cctype>

namespace nixlStripe {
namespace {

    constexpr std::size_t long_key = 12;
    /** Work grows with the product of both lengths; no key of anybody's is as long. */
    constexpr std::size_t longest_key = 64;

    std::string
    plain(std::string_view key) {
        std::string result(key);
        std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
            return c == '-' ? '_' : static_cast<char>(std::tolower(c));
        });
        return result;
    }

} // namespace

std::size_t
editDistance(std::string_view a, std::string_view b) {
    // rows[i][j]: distance of the first i letters of a and the first j of b
    std::vector<std::vector<std::size_t>> rows(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            rows[i][j] =
                std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + differs});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
            }
        }
    }
    return rows[a.size()][b.size()];
}

std::string
meantKey(std::string_view key, const std::vector<std::string> &known, std::size_t most) {
    if (key.size() > longest_key || std::find(known.begin(), known.end(), key) != known.end()) {
        return "";
    }
    std::string best;
    std::size_t least = longest_key;
    for (const std::string &each : known) {
        const std::size_t distance = editDistance(plain(key), plain(each));
        const std::size_t allowed = std::min<std::size_t>(most, each.size() < long_key ? 1 : 2);
        if (distance <= allowed && distance < least) {
            best = each;
            least = distance;
        }
    }
    return best;
}

} // namespace nixlStripe
