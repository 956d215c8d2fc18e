// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file operation_path.h
 * @brief The one path on which stages meet the puts and gets of the contexts that asked for them.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_OPERATION_PATH_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_OPERATION_PATH_H

#include "ucx/handle_table.h"
#include "ucx/library.h"
#include "ucx/open_flushes.h"
#include "ucx/rma_stage.h"

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace nixlStripe {

/**
 * @brief Follows UCX's handles from the calls that make and destroy them, and leads each operation
 *        through the stages of its context.
 *
 * Contexts, their workers, the endpoints of those and the keys unpacked for them are known while
 * their context is open; all others go straight on to UCX. What put(), get() and flush() need to
 * know of an endpoint is found without a lock. Handles are opaque and may come again after they
 * were destroyed. Thread-safe in the way that UCX's own calls are.
 */
class operationPath {
public:
    using stages_t = std::vector<std::unique_ptr<contextStage>>;

    /** UCX, as far as it is needed here. */
    struct calls {
        void *(*put)(void *, const void *, std::size_t, std::uint64_t, void *, const void *) =
            nullptr;
        void *(*get)(void *, void *, std::size_t, std::uint64_t, void *, const void *) = nullptr;
        void *(*flush)(void *endpoint, const void *params) = nullptr;
        void (*release)(void *request) = nullptr; /**< `ucp_request_free` */
        rmaEndpoint::lanesOf_t lanes;             /**< see parseRmaLanes */
    };

    explicit operationPath(calls ucx);
    ~operationPath();

    /** Operations of @p context go through @p stages, in their order, from now on. */
    void openContext(const void *context, stages_t stages);

    /** To be called before the context is destroyed. @return whether it was open. */
    bool closeContext(const void *context);

    void workerMade(const void *context, const void *worker);

    /** To be called once the worker is destroyed. */
    void workerGone(const void *worker);

    /**
     * What UCX is to be given for a new endpoint of @p worker: see contextStage::endpointAsked.
     * @param room Lives until the call is over.
     */
    const void *
    endpointAsked(const void *worker, const void *params, std::vector<std::uint8_t> &room);

    void endpointMade(const void *worker, void *endpoint);

    /** To be called before the endpoint is closed. */
    void endpointGone(const void *endpoint);

    void keyPacked(const void *context, const void *packed, std::size_t size);

    /** What UCX is to unpack for @p endpoint: see contextStage::keyAsked. */
    const void *keyAsked(const void *endpoint, const void *packed, std::vector<std::uint8_t> &room);

    void keyMade(const void *endpoint, const void *packed, void *key);

    /** To be called before @p key is destroyed. */
    void keyGone(const void *key);

    void *put(void *endpoint,
              const void *buffer,
              std::size_t bytes,
              std::uint64_t address,
              void *key,
              const void *params) noexcept;

    void *get(void *endpoint,
              void *buffer,
              std::size_t bytes,
              std::uint64_t address,
              void *key,
              const void *params) noexcept;

    void *flush(void *endpoint, const void *params) noexcept;

    /** In place of `ucp_request_free`: see openFlushes. */
    void release(void *request) noexcept;

private:
    struct contextEntry;
    struct endpointEntry;

    std::shared_ptr<contextEntry> contextOf(const void *worker);
    void *carry(const rmaRequest &request) const noexcept;
    void *lead(rmaRequest request) noexcept;
    calls ucx_;
    std::mutex mutex_; /**< no shared_mutex: it would need glibc 2.34 */
    std::unordered_map<const void *, std::shared_ptr<contextEntry>> contexts_;
    std::unordered_map<const void *, std::shared_ptr<contextEntry>> workers_;
    handleTable<endpointEntry> endpoints_;
    handleTable<endpointEntry> keys_; /**< to the endpoint that they were unpacked for */
    openFlushes flushes_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_OPERATION_PATH_H
