// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file request_book.h
 * @brief What is still under way on one endpoint, by the flush that it belongs to.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_BOOK_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_BOOK_H

#include "ucx/library.h"

#include <cstddef>
#include <deque>
#include <memory>

namespace nixlStripe {

/** Requests that are to be complete together. */
struct requestTally {
    std::size_t number = 0; /**< of a batch: later ones are larger */
    std::size_t open = 0;
    ucsStatus_t error = ucs_ok; /**< the first */

    void
    settle(ucsStatus_t status) {
        --open;
        if (error == ucs_ok) {
            error = status;
        }
    }
};

/**
 * @brief The batches of one endpoint: what was posted between two flushes.
 *
 * Not thread-safe: who owns it locks.
 */
class requestBook {
public:
    requestBook() {
        batches_.push_back(std::make_shared<requestTally>());
    }

    /** The batch that is being posted. */
    const std::shared_ptr<requestTally> &
    current() const {
        return batches_.back();
    }

    /** A flush was posted. @return the batch that it ends. */
    std::shared_ptr<requestTally>
    close() {
        auto next = std::make_shared<requestTally>();
        next->number = current()->number + 1;
        std::shared_ptr<requestTally> closed = current();
        batches_.push_back(std::move(next));
        trim();
        return closed;
    }

    /** Whether nothing of batch @p number and of those before it is under way. */
    bool
    isOver(std::size_t number) const {
        return batches_.front()->number > number;
    }

    /** To be called when a batch may have come to its end. */
    void
    trim() {
        while (batches_.size() > 1 && batches_.front()->open == 0) {
            batches_.pop_front();
        }
    }

private:
    std::deque<std::shared_ptr<requestTally>> batches_; /**< the first has something open */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_BOOK_H
