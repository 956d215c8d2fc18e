// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file open_flushes.h
 * @brief Tells when flushes end, also those whose requests are freed before.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_OPEN_FLUSHES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_OPEN_FLUSHES_H

#include "ucx/handle_table.h"
#include "ucx/library.h"

namespace nixlStripe {

/** Wants to know when a flush ends. */
class flushOwner {
public:
    virtual ~flushOwner() = default;

    /** Once for each flush, on whatever thread makes progress. @param is_good As far as known. */
    virtual void flushEnded(bool is_good) noexcept = 0;

    /** In its place where UCX ends the flush no more: its worker is gone. */
    virtual void flushLost() noexcept = 0;
};

/**
 * @brief The flushes that UCX has not ended, or whose requests the caller still has.
 *
 * UCX would drop the callback of a flush that is freed while it is under way, which NIXL does where
 * a transfer is released early, and with it the flush's end: such a request goes back to UCX when
 * UCX has ended it. Thread-safe in the way that UCX's own calls are.
 */
class openFlushes {
public:
    using flush_t = void *(*)(void *endpoint, const void *params);
    using release_t = void (*)(void *request);

    openFlushes(flush_t ucx_flush, release_t ucx_release)
        : flush_(ucx_flush)
        , release_(ucx_release) {}

    openFlushes(const openFlushes &) = delete;
    openFlushes &operator=(const openFlushes &) = delete;
    ~openFlushes();

    /**
     * In place of `ucp_ep_flush_nbx`. NIXL asks for nothing, and looks at the request. Whoever asks
     * for something keeps his call, and his flush counts as ended at once.
     * @param owner Is told of the end, and lives until then.
     */
    void *flush(flushOwner &owner, const void *worker, void *endpoint, const void *params) noexcept;

    /** In place of `ucp_request_free`, for any request. */
    void release(void *request) noexcept;

    /** To be called once the worker is destroyed. */
    void workerGone(const void *worker);

private:
    struct record;

    template <typename wanted_t> void drop(wanted_t &&wanted);
    void giveBack(void *request, record *of) noexcept;

    static void *ended(flushOwner &owner, void *answer) noexcept;
    static void finished(void *request, ucsStatus_t status, void *user_data);

    const flush_t flush_;
    const release_t release_;
    handleTable<record> records_; /**< by request */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_OPEN_FLUSHES_H
