// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file request_gate.h
 * @brief Holds back "complete" until it is true of everything that was posted.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_GATE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_GATE_H

#include "recovery/request_book.h"
#include "ucx/handle_table.h"
#include "ucx/library.h"
#include "ucx/rma_stage.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace nixlStripe {

/**
 * @brief Knows the requests of gated endpoints that UCX has not finished.
 *
 * NIXL frees every request of a batch but the last as soon as it has it, and trusts the flush that
 * follows. That is right as long as no lane fails: a flush does not wait for what UCX sends again
 * for a failed one. So a request that is freed too early is kept until UCX is done with it, and
 * a flush, and a request that stands for several, count as complete only when all of theirs are.
 *
 * One object serves a process, since UCX's calls for requests name neither endpoint nor context.
 * Thread-safe.
 */
class requestGate {
public:
    /** UCX, as far as it is needed here. */
    struct calls {
        ucsStatus_t (*check)(void *request) = nullptr;
        void (*release)(void *request) = nullptr;
        void *(*put)(void *, const void *, std::size_t, std::uint64_t, void *, const void *) =
            nullptr;
        void *(*get)(void *, void *, std::size_t, std::uint64_t, void *, const void *) = nullptr;
        std::chrono::steady_clock::time_point (*now)() = &std::chrono::steady_clock::now;
    };

    /**
     * How long a flush may stay under way when everything before it is complete. UCX has nothing
     * left to wait for then, and ends it the next time that it makes progress; but UCX 1.22 and
     * 1.23 never end one during which two lanes failed one after the other: starting it anew, they
     * miscount the lanes. Nothing is lost by going on without it: only operations that are sent
     * straight from the caller's memory fail over, and those are complete when the peer's NIC has
     * acknowledged them.
     */
    static constexpr std::chrono::milliseconds lost_flush_after{200};

    explicit requestGate(calls ucx);
    ~requestGate();

    /** In place of `ucp_request_check_status`. */
    ucsStatus_t check(void *request) noexcept;

    /** In place of `ucp_request_free`. */
    void release(void *request) noexcept;

    /** Requests that are known; for tests. */
    std::size_t size() const;

private:
    friend class gatedRequests;
    struct record;

    static void finished(void *request, ucsStatus_t status, void *user_data);
    bool isKept(record &of) noexcept;
    void show(record *of);

    const calls ucx_;
    handleTable<record> records_; /**< of requests that the caller has */
};

/**
 * @brief The puts, gets and flushes of one endpoint, through a gate.
 *
 * Large operations are handed to UCX in pieces, because it sends a request that met a dead NIC
 * again from its first byte. The caller gets one request, which is complete when all pieces are.
 */
class gatedRequests : public rmaCarrier {
public:
    /**
     * A piece, in bytes. Smaller ones repeat less after a loss; 4 MiB cost less than 1 % of the
     * time that one takes at 400 Gbit/s (a request is posted in about 0.3 us).
     */
    static constexpr std::size_t piece_bytes = std::size_t{4} << 20;

    explicit gatedRequests(requestGate &gate);
    ~gatedRequests() override;

    void *carry(const rmaRequest &request) noexcept override;

    /** See endpointStage::flushTaken. */
    void *flushTaken(void *answer) noexcept;

private:
    struct book;
    friend class requestGate;

    void *carryOne(const rmaRequest &request, const std::shared_ptr<requestTally> &whole) noexcept;
    void *inPieces(const rmaRequest &request) noexcept;
    void *gateFlush(void *answer, const std::shared_ptr<requestTally> &batch);
    void *handBack(const std::shared_ptr<requestTally> &batch);

    requestGate &gate_;
    const std::shared_ptr<book> book_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_REQUEST_GATE_H
