// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file values.h
 * @brief Values of UCX settings as UCX itself reads them.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H

#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

std::string lowered(std::string text);

/** "y", "yes", "on", "1", "true" and their opposites, in any case; nothing for another text. */
std::optional<bool> ucxBool(const std::string &value);

/** A whole number; nothing for "inf", "auto" and texts that are none. */
std::optional<unsigned> ucxCount(const std::string &value);

/** Entries separated by commas, without a leading '^', white space and empty ones. */
std::vector<std::string> ucxList(const std::string &value);

/** A list of what may be used, or behind '^' of what may not: UCX_NET_DEVICES, UCX_TLS. */
class ucxAllowList {
public:
    /**
     * @param value As UCX reads it: entries between commas, white space a part of them, and
     *        `name[0-3]` for a range.
     */
    explicit ucxAllowList(const std::string &value);

    /** Whether the list admits what is called by any of @p names; "all" admits everything. */
    bool admits(const std::vector<std::string> &names) const;

    bool
    isExcluding() const {
        return is_excluding_;
    }

    /** Ranges as the names that they stand for. */
    const std::vector<std::string> &
    entries() const {
        return entries_;
    }

private:
    bool is_excluding_;
    std::vector<std::string> entries_;
};

/** The number that a text begins with, and what follows it. */
struct leadingNumber {
    double value;
    std::string rest;
};

/** As sscanf's %lf in the C locale, whatever the program's is; no sign, "inf", "nan" or "0x". */
std::optional<leadingNumber> ucxNumber(const std::string &text);

/** Bytes, "8k", "1m", "64", with UCX's units; nothing for "inf", "auto" and texts that are none. */
std::optional<double> ucxSize(const std::string &value);

/** Seconds of "5s", "500ms", "5000000.00us", "1m", "3"; nothing for others, "inf" and "auto" too.
 */
std::optional<double> ucxTime(const std::string &value);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H
