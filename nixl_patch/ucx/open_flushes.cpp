// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/open_flushes.h"

#include "ucx/request_params.h"
#include "ucx/rma_stage.h"

#include <atomic>
#include <exception>
#include <new>

namespace nixlStripe {

/** Whose request UCX (until its callback) and the caller (until he frees it) have. */
struct openFlushes::record {
    openFlushes *book;
    flushOwner *owner;
    const void *worker;
    /** Who is done with it: whoever comes last destroys it. */
    std::atomic<unsigned> over{0};

    static constexpr unsigned by_ucx = 1;
    static constexpr unsigned by_caller = 2;
    static constexpr unsigned unseen = 4; /**< it is in no table, so that the caller is not heard */

    unsigned
    mark(unsigned who) noexcept {
        return over.fetch_or(who, std::memory_order_acq_rel);
    }
};

openFlushes::~openFlushes() {
    drop([](const record &) { return true; });
}

void
openFlushes::workerGone(const void *worker) {
    drop([worker](const record &each) { return each.worker == worker; });
}

/** UCX ends none of them any more. */
template <typename wanted_t>
void
openFlushes::drop(wanted_t &&wanted) {
    for (const void *request : records_.handlesWhere(wanted)) {
        record *of = records_.erase(request);
        if ((of->over.load(std::memory_order_acquire) & record::by_ucx) == 0) {
            of->owner->flushLost();
        }
        delete of;
    }
}

void *
openFlushes::flush(flushOwner &owner,
                   const void *worker,
                   void *endpoint,
                   const void *params) noexcept {
    const bool asks = static_cast<const requestParams *>(params)->fields != 0;
    record *of = asks ? nullptr : new (std::nothrow) record{this, &owner, worker};
    if (of == nullptr) {
        return ended(owner, flush_(endpoint, params));
    }
    requestParams with_callback;
    with_callback.fields = requestParams::has_callback | requestParams::has_user_data;
    with_callback.callback = &finished;
    with_callback.userData = of;
    void *answer = flush_(endpoint, &with_callback);
    if (!isRequest(answer)) {
        delete of;
        return ended(owner, answer);
    }
    try {
        records_.insert(answer, of);
    } catch (const std::exception &) {
        if ((of->mark(record::unseen) & record::by_ucx) != 0) {
            delete of;
        }
    }
    return answer;
}

void *
openFlushes::ended(flushOwner &owner, void *answer) noexcept {
    owner.flushEnded(!isError(answer));
    return answer;
}

void
openFlushes::finished(void *request, ucsStatus_t status, void *user_data) {
    auto *of = static_cast<record *>(user_data);
    of->owner->flushEnded(status == ucs_ok);
    const unsigned before = of->mark(record::by_ucx);
    if ((before & record::unseen) != 0) {
        delete of;
    } else if ((before & record::by_caller) != 0) {
        of->book->giveBack(request, of);
    }
}

void
openFlushes::release(void *request) noexcept {
    record *of = records_.find(request);
    if (of == nullptr) {
        release_(request);
    } else if ((of->mark(record::by_caller) & record::by_ucx) != 0) {
        giveBack(request, of);
    }
}

void
openFlushes::giveBack(void *request, record *of) noexcept {
    records_.erase(request); // before UCX can hand it out again
    delete of;
    release_(request);
}

} // namespace nixlStripe
