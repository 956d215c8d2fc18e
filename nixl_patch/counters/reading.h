// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file reading.h
 * @brief What counters of a NIC said at a moment, and what lies between two moments. Pure.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_READING_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_READING_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

/** How a figure came about. The three are never added up or shown as one another. */
enum class evidence_t {
    COUNTED,  /**< the NIC, its driver or the kernel counted bytes */
    INFERRED, /**< worked out of something else that was counted, such as packets */
    INTENDED, /**< what was handed over to be sent; nobody saw it leave */
};

/** "counted", "inferred", "intended". */
const char *evidenceName(evidence_t kind);

/** Where figures come from. */
struct sourceInfo {
    std::string name; /**< sysfs, hw_counters, rdma-netlink, ethtool, netdev, queue-pairs */
    evidence_t kind = evidence_t::COUNTED;
    unsigned unit = 1;      /**< bytes that one count stands for */
    std::string where;      /**< files or attributes that are read */
    std::string blind;      /**< what it cannot see */
    bool saturates = false; /**< counters of 32 bits may stop at their end for good */
};

using count_t = std::optional<std::uint64_t>; /**< none: it cannot be read (its device went) */
using view_t = std::vector<count_t>;          /**< counters that are to be added up */

/** The counters of one NIC at a moment. Several views are of the same bytes: the largest counts. */
struct nicReading {
    std::vector<view_t> out;
    std::vector<view_t> in;
    view_t errors;   /**< frames */
    view_t discards; /**< frames */
};

/** What a NIC carried between two readings. */
struct nicGain {
    std::uint64_t bytesOut = 0;
    std::uint64_t bytesIn = 0;
    std::uint64_t errors = 0;   /**< frames */
    std::uint64_t discards = 0; /**< frames */
    std::string problem;        /**< why the figures cannot be trusted, "" when they can */
};

/**
 * @brief How far a counter went, over the end of 32 or 64 bits or from a reset too.
 *
 * One that went down from its upper half went over the end once; from its lower half it was set
 * back to zero, as when its device was reset. One that cannot be read has not moved.
 */
std::uint64_t counterAdvance(count_t before, count_t after);

/** What lies between two readings of the same source. */
nicGain gainBetween(const sourceInfo &source, const nicReading &before, const nicReading &after);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_READING_H
