// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/request_gate.h"
#include "recovery/request_record.h"
#include "ucx/request_params.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

namespace nixlStripe {
namespace {

    void *
    asAnswer(ucsStatus_t status) {
        return reinterpret_cast<void *>(std::intptr_t{status});
    }

    ucsStatus_t
    statusOf(const void *answer) {
        return isError(answer) ? static_cast<ucsStatus_t>(reinterpret_cast<std::intptr_t>(answer))
                               : ucs_ok;
    }

    /** The caller's, of which no more is read than is there. */
    requestParams
    copyOf(const void *params) {
        const auto *given = static_cast<const requestParams *>(params);
        requestParams copy;
        copy.fields = given->fields;
        if ((given->fields & requestParams::has_flags) != 0) {
            copy.flags = given->flags;
        }
        if ((given->fields & requestParams::has_request) != 0) {
            copy.request = given->request;
        }
        if ((given->fields & requestParams::has_callback) != 0) {
            copy.callback = given->callback;
        }
        if ((given->fields & requestParams::has_datatype) != 0) {
            copy.datatype = given->datatype;
        }
        if ((given->fields & requestParams::has_user_data) != 0) {
            copy.userData = given->userData;
        }
        if ((given->fields & requestParams::has_more) != 0) {
            std::copy(std::begin(given->behind), std::end(given->behind), std::begin(copy.behind));
        }
        return copy;
    }

} // namespace

gatedRequests::gatedRequests(requestGate &gate)
    : gate_(gate)
    , book_(std::make_shared<book>()) {}

gatedRequests::~gatedRequests() = default;

void *
gatedRequests::carry(const rmaRequest &request) noexcept {
    const auto *given = static_cast<const requestParams *>(request.params);
    // Who keeps his own account of the request, or counts in elements, keeps one request.
    const bool is_one = (given->fields & (requestParams::has_callback | requestParams::has_request |
                                          requestParams::has_datatype)) != 0;
    if (request.bytes <= piece_bytes || is_one) {
        return carryOne(request, nullptr);
    }
    return inPieces(request);
}

void *
gatedRequests::inPieces(const rmaRequest &request) noexcept {
    try {
        const auto whole = std::make_shared<requestTally>();
        void *shown = nullptr; // the last that is under way stands for all
        for (std::size_t at = 0; at < request.bytes; at += piece_bytes) {
            rmaRequest piece = request;
            piece.buffer = static_cast<char *>(request.buffer) + at;
            piece.address = request.address + at;
            piece.bytes = std::min(piece_bytes, request.bytes - at);
            void *answer = carryOne(piece, whole);
            if (answer != nullptr && shown != nullptr) {
                gate_.release(shown);
            }
            if (isError(answer)) {
                return answer;
            }
            shown = answer == nullptr ? shown : answer;
        }
        return shown;
    } catch (const std::exception &) {
        return asAnswer(ucs_err_no_memory);
    }
}

void *
gatedRequests::carryOne(const rmaRequest &request,
                        const std::shared_ptr<requestTally> &whole) noexcept {
    try {
        requestParams params = copyOf(request.params);
        auto entry = std::make_unique<requestGate::record>();
        requestGate::record *of = entry.get();
        of->gate = &gate_;
        of->book = book_;
        of->whole = whole;
        of->callback = params.callback;
        of->userData = params.userData;
        params.fields |= requestParams::has_callback | requestParams::has_user_data;
        params.callback = &requestGate::finished;
        params.userData = of;
        {
            const std::lock_guard<std::mutex> lock(book_->mutex);
            of->batch = book_->batches.current();
            ++of->batch->open;
            if (whole) {
                ++whole->open;
            }
        }
        void *answer = request.kind == rmaKind_t::PUT ? gate_.ucx_.put(request.endpoint,
                                                                       request.buffer,
                                                                       request.bytes,
                                                                       request.address,
                                                                       request.key,
                                                                       &params)
                                                      : gate_.ucx_.get(request.endpoint,
                                                                       request.buffer,
                                                                       request.bytes,
                                                                       request.address,
                                                                       request.key,
                                                                       &params);
        if (!isRequest(answer)) {
            const std::lock_guard<std::mutex> lock(book_->mutex);
            of->settle(statusOf(answer)); // UCX calls back only for requests
            return answer;
        }
        of->request = answer;
        static_cast<void>(entry.release()); // UCX and the caller have it now
        try {
            gate_.show(of);
        } catch (const std::exception &) {
            if (!gate_.isKept(*of)) {
                delete of;
                gate_.ucx_.release(answer);
            }
            throw;
        }
        return answer;
    } catch (const std::exception &) {
        return asAnswer(ucs_err_no_memory);
    }
}

void *
gatedRequests::flushTaken(void *answer) noexcept {
    if (isError(answer)) {
        return answer;
    }
    try {
        std::shared_ptr<requestTally> batch;
        {
            const std::lock_guard<std::mutex> lock(book_->mutex);
            batch = book_->batches.close();
        }
        return answer == nullptr ? handBack(batch) : gateFlush(answer, batch);
    } catch (const std::exception &) {
        if (isRequest(answer)) {
            gate_.ucx_.release(answer);
        }
        return asAnswer(ucs_err_no_memory);
    }
}

/** UCX's flush is complete when UCX says so and its batch is. */
void *
gatedRequests::gateFlush(void *answer, const std::shared_ptr<requestTally> &batch) {
    auto entry = std::make_unique<requestGate::record>();
    entry->gate = &gate_;
    entry->book = book_;
    entry->flush = batch;
    entry->request = answer;
    entry->isDone = true; // what UCX still does with it needs nothing of this
    gate_.show(entry.get());
    static_cast<void>(entry.release());
    return answer;
}

/**
 * UCX has nothing to flush, and yet something of the batch is under way again: a request that the
 * caller has freed stands for the flush. Those that he still has he looks at himself.
 */
void *
gatedRequests::handBack(const std::shared_ptr<requestTally> &batch) {
    const std::lock_guard<std::mutex> lock(book_->mutex);
    if (book_->batches.isOver(batch->number)) {
        return batch->error == ucs_ok ? nullptr : asAnswer(batch->error);
    }
    const auto found = std::find_if(
        book_->abandoned.begin(),
        book_->abandoned.end(),
        [&batch](const requestGate::record *each) { return each->batch->number <= batch->number; });
    if (found == book_->abandoned.end()) {
        return nullptr;
    }
    requestGate::record *of = *found;
    gate_.show(of);
    book_->abandoned.erase(found);
    of->isReleased = false;
    of->flush = batch;
    return of->request;
}

} // namespace nixlStripe
