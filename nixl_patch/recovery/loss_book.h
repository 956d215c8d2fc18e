// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file loss_book.h
 * @brief What became of NICs that transfers lost, in numbers that only grow.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_LOSS_BOOK_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_LOSS_BOOK_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace nixlStripe {

/** Of one NIC, each for every peer whose transfers went over it. */
struct nicLosses {
    std::uint64_t lost = 0; /**< transfers to a peer went on without it */
    std::uint64_t back = 0; /**< and with it again */
};

struct lossTotals {
    std::uint64_t resumes = 0; /**< times that a transfer went on */
    std::map<std::string, nicLosses> nics;

    lossTotals &
    operator+=(const lossTotals &more) {
        resumes += more.resumes;
        for (const auto &[nic, losses] : more.nics) {
            nics[nic].lost += losses.lost;
            nics[nic].back += losses.back;
        }
        return *this;
    }
};

/** Of one engine. Thread-safe. */
class lossBook {
public:
    /** @param nics That a backend names: each is there from the start, with nothing lost. */
    explicit lossBook(const std::vector<std::string> &nics = {}) {
        for (const std::string &nic : nics) {
            totals_.nics[nic];
        }
    }

    /** A transfer goes on; @p lost may be empty where a NIC was away for a moment only. */
    void
    resumed(const std::vector<std::string> &lost) {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++totals_.resumes;
        for (const std::string &nic : lost) {
            ++totals_.nics[nic].lost;
        }
    }

    void
    back(const std::vector<std::string> &nics) {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const std::string &nic : nics) {
            ++totals_.nics[nic].back;
        }
    }

    lossTotals
    totals() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return totals_;
    }

private:
    mutable std::mutex mutex_;
    lossTotals totals_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_LOSS_BOOK_H
