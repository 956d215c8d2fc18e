// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/values.h"

#include "topology/never_destroyed.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <locale.h>
#include <map>
#include <set>

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

std::vector<std::string>
ucxList(const std::string &value) {
    std::vector<std::string> entries;
    std::string entry;
    const auto finish = [&] {
        if (!entry.empty()) {
            entries.push_back(entry);
        }
        entry.clear();
    };
    for (const char c : value.substr(value.rfind('^', 0) == 0 ? 1 : 0)) {
        if (c == ',') {
            finish();
        } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
            entry += c;
        }
    }
    finish();
    return entries;
}

namespace {

    /** "mlx5_[0-3]:1" as four names; anything else as it is. */
    void
    expandRange(const std::string &entry, std::vector<std::string> &names) {
        constexpr unsigned most = 1024; // a typing mistake must not fill the memory
        const std::size_t open = entry.find('[');
        const std::size_t dash = entry.find('-', open == std::string::npos ? 0 : open);
        const std::size_t close = entry.find(']', dash == std::string::npos ? 0 : dash);
        if (open == std::string::npos || dash == std::string::npos || close == std::string::npos) {
            names.push_back(entry);
            return;
        }
        const auto first = ucxCount(entry.substr(open + 1, dash - open - 1));
        const auto last = ucxCount(entry.substr(dash + 1, close - dash - 1));
        if (!first || !last || *last < *first || *last - *first >= most) {
            names.push_back(entry);
            return;
        }
        for (unsigned i = *first; i <= *last; ++i) {
            names.push_back(entry.substr(0, open) + std::to_string(i) + entry.substr(close + 1));
        }
    }

} // namespace

ucxAllowList::ucxAllowList(const std::string &value)
    : is_excluding_(value.rfind('^', 0) == 0) {
    for (std::size_t start = is_excluding_ ? 1 : 0; start < value.size();) {
        const std::size_t end = std::min(value.find(',', start), value.size());
        if (end > start) {
            expandRange(value.substr(start, end - start), entries_);
        }
        start = end + 1;
    }
}

bool
ucxAllowList::admits(const std::vector<std::string> &names) const {
    const bool is_listed =
        std::any_of(entries_.begin(), entries_.end(), [&](const std::string &entry) {
            return entry == "all" || std::find(names.begin(), names.end(), entry) != names.end();
        });
    return is_listed != is_excluding_;
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
