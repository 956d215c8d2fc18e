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

/** What an allow list names: devices, of which one entry may be a range, or words. */
enum class listOf_t { DEVICES, WORDS };

/** A list of what may be used, or behind '^' of what may not: UCX_NET_DEVICES, TLS, MODULES. */
class ucxAllowList {
public:
    /**
     * @param value As UCX reads it (ucs_config_sscanf_allow_list): entries between commas, white
     *        space and capitals a part of them, and of devices `name[0-3]:1` for a range.
     */
    explicit ucxAllowList(const std::string &value, listOf_t what = listOf_t::DEVICES);

    /** Whether the list admits what is called by any of @p names. */
    bool admits(const std::vector<std::string> &names) const;

    /** "all" or "^all": to UCX the word means that in the first place only. */
    bool
    isAll() const {
        return !entries_.empty() && entries_.front() == "all";
    }

    bool
    isExcluding() const {
        return is_excluding_;
    }

    /**
     * @brief The value without what makes an entry another name than its writer meant: white space
     * at its ends and, in a list of words, capitals (UCX has none in them).
     * @return "" where nothing has to be changed.
     */
    std::string respelt() const;

    /** Ranges as the names that they stand for. */
    const std::vector<std::string> &
    entries() const {
        return entries_;
    }

private:
    std::string value_;
    listOf_t what_;
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

/** As ucxSize, and infinity for "inf" in any case. */
std::optional<double> ucxLimit(const std::string &value);

/** MIN_RMA_CHUNK_SIZE: as ucxLimit, and infinity for "auto", which nothing in UCX resolves. */
std::optional<double> ucxChunk(const std::string &value);

/**
 * @brief What a key-value list says of one key: of "intra:auto,inter:8k", or "8k" for every key.
 * @return "" where it says nothing.
 */
std::string ucxValueOf(const std::string &key, const std::string &list);

/** Seconds of "5s", "500ms", "5000000.00us", "1m", "3"; nothing for others, "inf" and "auto" too.
 */
std::optional<double> ucxTime(const std::string &value);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_VALUES_H
