// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file rma_stage.h
 * @brief What a stage of the operation path implements.
 *
 * A stage is something that happens to the puts and gets of one UCX context: small buffers take
 * turns, bytes are counted, a gate waits. It is there only for a context that asked for it. To add
 * one: derive a contextStage and an endpointStage here, and hand the former to
 * operationHooks::open (plugin/) for the contexts that want it; stages see an operation in the
 * order in which they were handed over.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_RMA_STAGE_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_RMA_STAGE_H

#include "ucx/config_text.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace nixlStripe {

/** A set of lanes of an endpoint: bit i is the i-th of rmaEndpoint::lanes(). */
using laneSet_t = std::uint64_t;

enum class rmaKind_t : std::uint8_t { PUT, GET };

/** One put or get on its way to UCX. */
struct rmaOperation {
    rmaKind_t kind;
    bool countsBytes;    /**< false: the size counts elements of a datatype */
    std::size_t bytes;   /**< of the payload, where countsBytes */
    void *key;           /**< what UCX will be given: a stage may put a narrower key in its place */
    laneSet_t lanes = 0; /**< what the key was narrowed to; 0: it is the caller's own */
};

/** Everything that `ucp_put_nbx` or `ucp_get_nbx` is given. */
struct rmaRequest {
    rmaKind_t kind;
    void *endpoint;
    void *buffer;
    std::size_t bytes;
    std::uint64_t address;
    void *key;
    const void *params;
};

/** Stands in the place of UCX's own calls for a put and a get. */
class rmaCarrier {
public:
    virtual ~rmaCarrier() = default;

    /** @return UCX's `ucs_status_ptr_t`. */
    virtual void *carry(const rmaRequest &request) noexcept = 0;
};

/** An endpoint that stages look at. */
class rmaEndpoint {
public:
    using lanesOf_t = std::function<std::vector<rmaLane>(const void *endpoint)>;

    rmaEndpoint(const void *its_worker, void *its_handle, lanesOf_t lanes_of)
        : worker(its_worker)
        , handle(its_handle)
        , lanes_of_(std::move(lanes_of)) {}

    const void *const worker;
    void *const handle;

    /**
     * @brief Lanes that carry RMA, in UCX's order; UCX is asked the first time. Empty where they
     *        cannot be read. At most 64. Thread-safe.
     */
    const std::vector<rmaLane> &
    lanes() const {
        const std::lock_guard<std::mutex> lock(mutex_); // no call_once: it would need glibc 2.34
        if (!is_known_) {
            lanes_ = lanes_of_(handle);
            is_known_ = true;
        }
        return lanes_;
    }

private:
    lanesOf_t lanes_of_;
    mutable std::mutex mutex_;
    mutable bool is_known_ = false;
    mutable std::vector<rmaLane> lanes_;
};

/**
 * @brief A stage's part on one endpoint.
 *
 * Its functions are called by the threads that post, at the same time where the program posts from
 * several. begin() and taken() are on the path of every operation: no lock, no allocation there
 * except for what happens once. Nothing may be thrown: UCX's callers are C.
 */
class endpointStage {
public:
    virtual ~endpointStage() = default;

    /** A key was unpacked for this endpoint, from the bytes at @p packed. */
    virtual void
    keyMade(const void * /* packed */, void * /* key */) noexcept {}

    /** @p key is about to be destroyed; what was made from it is to be destroyed now. */
    virtual void
    keyGone(const void * /* key */) noexcept {}

    /** UCX no longer knows @p key, nor anything that was made from it. */
    virtual void
    keyLost(const void * /* key */) noexcept {}

    /** Before UCX is given the operation. */
    virtual void
    begin(rmaOperation & /* operation */) noexcept {}

    /** Whether taken() is to be called. */
    virtual bool
    wantsAnswers() const {
        return false;
    }

    /**
     * After UCX was given the operation.
     * @param answer UCX's `ucs_status_ptr_t`: nullptr done, a request, or an error; see isError.
     */
    virtual void
    taken(const rmaOperation & /* operation */, const void * /* answer */) noexcept {}

    /** Hands operations to UCX in the path's place; of an endpoint's stages one at most does. */
    virtual rmaCarrier *
    carrier() {
        return nullptr;
    }

    /**
     * UCX was given a flush.
     * @param answer As of taken().
     * @return What the caller is given.
     */
    virtual void *
    flushTaken(void *answer) noexcept {
        return answer;
    }

    /** A flush is about to be given to UCX: what was posted until now is one batch. */
    virtual void
    flushBegins() noexcept {}

    /**
     * A flush is complete, or failed. On whatever thread makes progress; as often as it began.
     * @param is_good Whether it is complete, as far as that is known: see operationPath::flush.
     */
    virtual void
    flushEnds(bool /* is_good */) noexcept {}
};

/** A stage's part on one context. */
class contextStage {
public:
    virtual ~contextStage() = default;

    /** A key of this context was packed. */
    virtual void
    keyPacked(const void * /* packed */, std::size_t /* size */) noexcept {}

    /** @return The stage's part on a new endpoint; nullptr: it is left alone. */
    virtual std::unique_ptr<endpointStage> attach(const std::shared_ptr<rmaEndpoint> &endpoint) = 0;

    virtual void
    workerGone(const void * /* worker */) noexcept {}

    /**
     * An endpoint is about to be made.
     * @param params `ucp_ep_params_t`, NIXL's own or what an earlier stage put in its place.
     * @param room Where a changed copy may be kept for the call.
     * @return What UCX is given; nullptr: the endpoint is refused.
     */
    virtual const void *
    endpointAsked(const void *params, std::vector<std::uint8_t> & /* room */) {
        return params;
    }

    /**
     * A key is about to be unpacked for an endpoint of this context.
     * @param room Where a changed copy may be kept for the call.
     * @return What UCX unpacks.
     */
    virtual const void *
    keyAsked(const void *packed, std::vector<std::uint8_t> & /* room */) {
        return packed;
    }
};

/** Whether a `ucs_status_ptr_t` is an error (UCS_PTR_IS_ERR: the last hundred addresses). */
inline bool
isError(const void *answer) {
    return reinterpret_cast<std::uintptr_t>(answer) >= static_cast<std::uintptr_t>(-100);
}

/** Whether a `ucs_status_ptr_t` is a request that is under way. */
inline bool
isRequest(const void *answer) {
    return answer != nullptr && !isError(answer);
}

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_RMA_STAGE_H
