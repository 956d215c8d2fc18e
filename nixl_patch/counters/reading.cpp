// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/reading.h"

#include <algorithm>
#include <cstddef>

namespace nixlStripe {
namespace {

    constexpr std::uint64_t end_of_32_bits = std::uint64_t{1} << 32;

    count_t
    at(const view_t &view, std::size_t index) {
        return index < view.size() ? view[index] : std::nullopt;
    }

    /** Where a counter of that width turns over; one below the first end may have 32 bits. */
    std::uint64_t
    halfOf(std::uint64_t count) {
        return count < end_of_32_bits ? end_of_32_bits / 2 : std::uint64_t{1} << 63;
    }

    bool
    wasSetBack(count_t before, count_t after) {
        return before && after && *after < *before && *before < halfOf(*before);
    }

    std::uint64_t
    gained(const view_t &before, const view_t &after) {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            sum += counterAdvance(before[i], at(after, i));
        }
        return sum;
    }

    std::uint64_t
    most(const std::vector<view_t> &before, const std::vector<view_t> &after) {
        std::uint64_t result = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            result = std::max(result, gained(before[i], i < after.size() ? after[i] : view_t{}));
        }
        return result;
    }

    bool
    wentAway(const std::vector<view_t> &before, const std::vector<view_t> &after) {
        for (std::size_t i = 0; i < before.size(); ++i) {
            const view_t &later = i < after.size() ? after[i] : view_t{};
            for (std::size_t j = 0; j < before[i].size(); ++j) {
                if (!at(later, j)) {
                    return true;
                }
            }
        }
        return false;
    }

    bool
    wereSetBack(const std::vector<view_t> &before, const std::vector<view_t> &after) {
        for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
            for (std::size_t j = 0; j < before[i].size(); ++j) {
                if (wasSetBack(before[i][j], at(after[i], j))) {
                    return true;
                }
            }
        }
        return false;
    }

    bool
    isStuck(const std::vector<view_t> &before, const std::vector<view_t> &after) {
        constexpr count_t last = end_of_32_bits - 1;
        for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
            for (std::size_t j = 0; j < before[i].size(); ++j) {
                if (before[i][j] == last && at(after[i], j) == last) {
                    return true;
                }
            }
        }
        return false;
    }

} // namespace

const char *
evidenceName(evidence_t kind) {
    switch (kind) {
    case evidence_t::INFERRED:
        return "inferred";
    case evidence_t::INTENDED:
        return "intended";
    case evidence_t::COUNTED:
        break;
    }
    return "counted";
}

std::uint64_t
counterAdvance(count_t before, count_t after) {
    if (!before || !after) {
        return 0;
    }
    if (*after >= *before) {
        return *after - *before;
    }
    if (wasSetBack(before, after)) {
        return *after;
    }
    const bool narrow = *before < end_of_32_bits;
    return *after + (narrow ? end_of_32_bits - *before : std::uint64_t{0} - *before);
}

nicGain
gainBetween(const sourceInfo &source, const nicReading &before, const nicReading &after) {
    nicGain gain;
    gain.bytesOut = most(before.out, after.out) * source.unit;
    gain.bytesIn = most(before.in, after.in) * source.unit;
    gain.errors = gained(before.errors, after.errors);
    gain.discards = gained(before.discards, after.discards);
    if (wentAway(before.out, after.out) || wentAway(before.in, after.in)) {
        gain.problem = "its counters went away";
    } else if (wereSetBack(before.out, after.out) || wereSetBack(before.in, after.in)) {
        gain.problem = "its counters were set back meanwhile (a reset of the device or its driver)";
    } else if (source.saturates &&
               (isStuck(before.out, after.out) || isStuck(before.in, after.in))) {
        gain.problem =
            "its counters of 32 bits are full and stand still (perfquery -R resets them)";
    }
    return gain;
}

} // namespace nixlStripe
