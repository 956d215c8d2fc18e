// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/request_gate.h"

#include "recovery/request_record.h"

#include <exception>
#include <mutex>

namespace nixlStripe {

requestGate::requestGate(calls ucx)
    : ucx_(ucx) {}

requestGate::~requestGate() = default;

std::size_t
requestGate::size() const {
    return records_.handlesWhere([](const record &) { return true; }).size();
}

void
requestGate::finished(void *request, ucsStatus_t status, void *user_data) {
    auto *of = static_cast<record *>(user_data);
    const calls &ucx = of->gate->ucx_;
    void (*callback)(void *, ucsStatus_t, void *) = nullptr;
    void *callers = nullptr;
    bool is_last = false;
    {
        const std::shared_ptr<gatedRequests::book> book = of->book;
        const std::lock_guard<std::mutex> lock(book->mutex);
        of->settle(status);
        is_last = of->isReleased;
        if (!of->isReleased) {
            callback = of->callback;
            callers = of->userData;
        }
    }
    if (callback != nullptr) {
        callback(request, status, callers);
    }
    if (is_last) {
        ucx.release(request);
        delete of;
    }
}

ucsStatus_t
requestGate::check(void *request) noexcept {
    const ucsStatus_t status = ucx_.check(request);
    if (status != ucs_ok && status != ucs_in_progress) {
        return status;
    }
    record *of = records_.find(request);
    if (of == nullptr) {
        return status;
    }
    const std::lock_guard<std::mutex> lock(of->book->mutex);
    return status == ucs_ok || of->isLostFlush(ucx_.now) ? of->status() : status;
}

void
requestGate::release(void *request) noexcept {
    record *of = records_.find(request) == nullptr ? nullptr : records_.erase(request);
    if (of != nullptr && isKept(*of)) {
        return;
    }
    delete of;
    ucx_.release(request);
}

/** Whether a request that the caller frees is kept until UCX has finished it. */
bool
requestGate::isKept(record &of) noexcept {
    const std::lock_guard<std::mutex> lock(of.book->mutex);
    if (of.isDone) {
        return false;
    }
    // UCX would drop the callback, and with it all knowledge of the request's end.
    of.isReleased = true;
    of.flush.reset();
    try {
        of.book->abandoned.insert(&of);
    } catch (const std::exception &) {
        // It is then no candidate to stand for a flush; its end is counted all the same.
    }
    return true;
}

/** The caller has the request from now on. */
void
requestGate::show(record *of) {
    // One that had the same address is over: UCX has handed it out again.
    delete records_.insert(of->request, of);
}

} // namespace nixlStripe
