// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/values.h"

#include "topology/never_destroyed.h"
#include "topology/text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <locale.h>
#include <map>
#include <set>
#include <string_view>

namespace nixlStripe {

std::string
lowered(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text;
}

std::optional<bool>
ucxBool(const std::string &value) {
    static const neverDestroyed on(std::set<std::string>{"y", "yes", "on", "1", "true"});
    static const neverDestroyed off(std::set<std::string>{"n", "no", "off", "0", "false"});
    const std::string text = lowered(value);
    if (on->count(text) != 0) {
        return true;
    }
    return off->count(text) != 0 ? std::optional<bool>(false) : std::nullopt;
}

std::optional<unsigned>
ucxCount(const std::string &value) {
    constexpr std::size_t digits_of_unsigned = 9;
    const bool is_number =
        !value.empty() && value.size() <= digits_of_unsigned &&
        std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isdigit(c); });
    return is_number ? std::optional<unsigned>(static_cast<unsigned>(std::stoul(value)))
                     : std::nullopt;
}

namespace {

    /** What a list has at most (UCS_CONFIG_ARRAY_MAX): UCX too stops there in a range. */
    constexpr unsigned most_entries = 128;

    /** "mlx5_[0-3]:1" as four names; anything else, two ranges in one entry too, as it is. */
    void
    expandRange(const std::string &entry, std::vector<std::string> &names) {
        const std::size_t open = entry.find('[');
        const std::size_t close = entry.find(']');
        const bool is_one_range = open != std::string::npos && close != std::string::npos &&
                                  open < close && entry.find_last_of("[]") == close &&
                                  entry.find_first_of("[]", open + 1) == close;
        const std::string range = is_one_range ? entry.substr(open + 1, close - open - 1) : "";
        const std::size_t dash = range.find('-');
        const auto first = ucxCount(range.substr(0, dash));
        const auto last = dash == std::string::npos ? first : ucxCount(range.substr(dash + 1));
        if (dash == std::string::npos || !first || !last || *last < *first) {
            names.push_back(entry);
            return;
        }
        const unsigned end = *first + std::min(*last - *first + 1, most_entries);
        for (unsigned i = *first; i < end; ++i) {
            names.push_back(entry.substr(0, open) + std::to_string(i) + entry.substr(close + 1));
        }
    }

    std::vector<std::string>
    splitAtCommas(const std::string &text) {
        std::vector<std::string> parts;
        for (std::size_t start = 0; start < text.size();) {
            const std::size_t end = std::min(text.find(',', start), text.size());
            if (end > start) {
                parts.push_back(text.substr(start, end - start));
            }
            start = end + 1;
        }
        return parts;
    }

} // namespace

ucxAllowList::ucxAllowList(const std::string &value, listOf_t what)
    : value_(value)
    , what_(what)
    , is_excluding_(value.rfind('^', 0) == 0) {
    for (const std::string &part : splitAtCommas(value.substr(is_excluding_ ? 1 : 0))) {
        if (what == listOf_t::DEVICES) {
            expandRange(part, entries_);
        } else {
            entries_.push_back(part);
        }
    }
}

bool
ucxAllowList::admits(const std::vector<std::string> &names) const {
    const bool is_listed =
        std::any_of(entries_.begin(), entries_.end(), [&](const std::string &entry) {
            return std::find(names.begin(), names.end(), entry) != names.end();
        });
    return isAll() || is_listed != is_excluding_;
}

std::string
ucxAllowList::respelt() const {
    constexpr std::string_view blanks = " \t\n\r\f\v";
    std::string text;
    // Blanks before the '^' make it a part of a name, too.
    const std::size_t start = std::min(value_.find_first_not_of(blanks), value_.size());
    const bool is_excluding = value_.compare(start, 1, "^") == 0;
    for (const std::string &part : splitAtCommas(value_.substr(start + (is_excluding ? 1 : 0)))) {
        const std::size_t from = part.find_first_not_of(blanks);
        if (from != std::string::npos) {
            append(text, part.substr(from, part.find_last_not_of(blanks) + 1 - from), ",");
        }
    }
    text = (is_excluding ? "^" : "") + (what_ == listOf_t::WORDS ? lowered(text) : text);
    return ucxAllowList(text, what_).entries() == entries_ && is_excluding == is_excluding_ ? ""
                                                                                            : text;
}

std::optional<leadingNumber>
ucxNumber(const std::string &text) {
    // Not strtod: it follows the host program's locale.
    static const locale_t plain = ::newlocale(LC_ALL_MASK, "C", nullptr);
    const auto is_digit = [&](std::size_t i) {
        return i < text.size() && text[i] >= '0' && text[i] <= '9';
    };
    // Nor what else it takes: blanks, signs, infinities, and hexadecimal numbers below.
    if (!is_digit(0) && !(text.rfind('.', 0) == 0 && is_digit(1))) {
        return std::nullopt;
    }
    if (text.rfind("0x", 0) == 0 || text.rfind("0X", 0) == 0) {
        return leadingNumber{0, text.substr(1)};
    }
    char *end = nullptr;
    const double number = ::strtod_l(text.c_str(), &end, plain);
    if (!std::isfinite(number)) {
        return std::nullopt;
    }
    return leadingNumber{number, text.substr(static_cast<std::size_t>(end - text.c_str()))};
}

std::optional<double>
ucxSize(const std::string &value) {
    const std::optional<leadingNumber> number = ucxNumber(value);
    if (!number) {
        return std::nullopt;
    }
    constexpr std::string_view units = "kmgt";
    double factor = 1;
    std::string unit = lowered(number->rest);
    if (!unit.empty() && unit.back() == 'b') {
        unit.pop_back();
    }
    if (unit.size() == 1 && units.find(unit) != std::string_view::npos) {
        for (std::size_t i = 0; i <= units.find(unit); ++i) {
            factor *= 1024;
        }
    } else if (!unit.empty()) {
        return std::nullopt;
    }
    return number->value * factor;
}

std::optional<double>
ucxLimit(const std::string &value) {
    return lowered(value) == "inf" ? std::optional<double>(std::numeric_limits<double>::infinity())
                                   : ucxSize(value);
}

std::optional<double>
ucxChunk(const std::string &value) {
    return ucxLimit(lowered(value) == "auto" ? "inf" : value);
}

std::string
ucxValueOf(const std::string &key, const std::string &list) {
    std::string otherwise;
    for (const std::string &part : splitAtCommas(list)) {
        const std::size_t colon = part.find(':');
        if (colon == std::string::npos) {
            otherwise = part;
        } else if (part.compare(0, colon, key) == 0) {
            return part.substr(colon + 1);
        }
    }
    return otherwise;
}

std::optional<double>
ucxTime(const std::string &value) {
    const std::optional<leadingNumber> number = ucxNumber(value);
    if (!number) {
        return std::nullopt;
    }
    static const neverDestroyed units(std::map<std::string, double>{
        {"", 1}, {"m", 60}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}});
    const auto unit = units->find(number->rest);
    return unit == units->end() ? std::nullopt
                                : std::optional<double>(number->value * unit->second);
}

} // namespace nixlStripe
