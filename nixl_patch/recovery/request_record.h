// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_RECORD_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_RECORD_H

#include "recovery/request_book.h"
#include "recovery/request_gate.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <unordered_set>

namespace nixlStripe {

/** What endpoint and requests share; it outlives the endpoint where a request does. */
struct gatedRequests::book {
    std::mutex mutex;
    requestBook batches;
    /** Requests that the caller has freed and UCX has not finished. */
    std::unordered_set<requestGate::record *> abandoned;
};

/**
 * A request that UCX has not finished, or that the caller is not to take for complete yet. UCX
 * (until its callback) and the caller (until he frees it) hold it; the last one destroys it.
 */
struct requestGate::record {
    requestGate *gate = nullptr;
    std::shared_ptr<gatedRequests::book> book;
    std::shared_ptr<requestTally> batch; /**< that it is counted in */
    std::shared_ptr<requestTally> whole; /**< pieces that are complete together; may be nullptr */
    std::shared_ptr<requestTally> flush; /**< batch that it stands for the flush of, or nullptr */
    void *request = nullptr;
    void (*callback)(void *, ucsStatus_t, void *) = nullptr; /**< the caller's own */
    void *userData = nullptr;
    bool isDone = false;
    bool isReleased = false;
    std::chrono::steady_clock::time_point overSince; /**< the flush waits for nothing; 0: it does */

    /** Whether UCX has lost this flush, see lost_flush_after. Mutex held. */
    bool
    isLostFlush(std::chrono::steady_clock::time_point (*clock)()) {
        const bool is_flush = flush && isDone; // else it is a put or a get, which UCX ends
        if (!is_flush || !book->batches.isOver(flush->number)) {
            return false;
        }
        const auto now = clock();
        if (overSince == std::chrono::steady_clock::time_point{}) {
            overSince = now;
        }
        return now - overSince >= lost_flush_after;
    }

    /** Called with the book's mutex held. */
    void
    settle(ucsStatus_t status) {
        isDone = true;
        batch->settle(status);
        if (whole) {
            whole->settle(status);
        }
        book->batches.trim();
        book->abandoned.erase(this);
    }

    /** What the caller is told once UCX says that the request is complete. Mutex held. */
    ucsStatus_t
    status() const {
        if (flush && !book->batches.isOver(flush->number)) {
            return ucs_in_progress;
        }
        if (whole && whole->open != 0) {
            return ucs_in_progress;
        }
        if (flush && flush->error != ucs_ok) {
            return flush->error;
        }
        return whole ? whole->error : ucs_ok;
    }
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_RECORD_H
