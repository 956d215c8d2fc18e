// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file small_spread.h
 * @brief Small buffers take turns at the NICs.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_SMALL_SPREAD_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_SMALL_SPREAD_H

#include "ucx/batch_lanes.h"
#include "ucx/library.h"
#include "ucx/packed_key.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace nixlStripe {

/**
 * @brief Chooses, for each RMA operation, the key to remote memory that UCX is given.
 *
 * UCX has no way to say which lane a buffer should take, but it uses only lanes whose memory domain
 * is in the key: a key narrowed to one domain is a choice of NIC. Such a key is made when a
 * small buffer of the memory first takes the lane, and lives as long as the key that it was made
 * from. Memory is registered once, endpoints are the same, UCX's own flush covers them.
 *
 * Knows contexts, workers, endpoints and keys from the calls that make and destroy them; whatever
 * does not descend from a watched context is left alone. Handles are opaque and may come again
 * after they were destroyed. Thread-safe in the way that UCX's own calls are.
 */
class smallSpread {
public:
    /** UCX, as far as it is needed here. */
    struct calls {
        ucsStatus_t (*unpack)(void *endpoint, const void *packed, void **key) = nullptr;
        void (*destroy)(void *key) = nullptr;
        /** See parseRmaLanes. */
        std::function<std::vector<unsigned>(const void *endpoint)> lanes;
        /** Has UCX pack a key of this process, and tells keyPacked of it. */
        std::function<void(const void *context)> packOne;
    };

    explicit smallSpread(calls ucx);

    /** @param chunk The context's MIN_RMA_CHUNK_SIZE in bytes. */
    void watchContext(const void *context, std::size_t chunk);

    /** A context that is not to be spread; it may have the address of an earlier one. */
    void forgetContext(const void *context);

    void workerMade(const void *context, const void *worker);

    void workerGone(const void *worker);

    void endpointMade(const void *worker, void *endpoint);

    void endpointGone(const void *endpoint);

    /**
     * A key of this process, with its size: proves that this UCX's keys are what they should be.
     * Safe to call from calls::packOne.
     * @return Whether it is; one that is not ends spreading.
     */
    bool keyPacked(const void *packed, std::size_t size);

    void keyMade(void *endpoint, const void *packed, const void *key);

    /** To be called before @p key is destroyed. */
    void keyGone(const void *key);

    /**
     * @return The key for an operation of @p bytes: @p key itself, or a narrower one.
     */
    void *keyFor(const void *endpoint, std::size_t bytes, void *key);

    /** The batch of @p endpoint ends. */
    void flushed(const void *endpoint);

private:
    struct watched {
        const void *context;
        std::size_t chunk;
    };
    struct endpointState;
    struct keyState;

    /** Whether keys have the known form; a peer's may come before any of this process. */
    bool knowsKeys(const void *context);

    /** Finds the lanes of the endpoint that reach the key's memory; once. */
    void findLanes(keyState &state) const;

    /** The key for the lane that takes the buffer; nullptr: as UCX would, or it refuses the key. */
    void *narrowKey(keyState &state, std::size_t bytes) const;

    calls ucx_;
    mutable std::mutex mutex_; /**< no shared_mutex: it would need glibc 2.34 */
    std::unordered_map<const void *, std::size_t> contexts_; /**< to their chunk */
    std::unordered_map<const void *, watched> workers_;
    std::unordered_map<const void *, std::shared_ptr<endpointState>> endpoints_;
    std::unordered_map<const void *, std::shared_ptr<keyState>> keys_;
    std::atomic<std::size_t> too_large_{0}; /**< operations of this many bytes are never spread */
    std::atomic<bool> knows_keys_{false};
    std::atomic<bool> has_strange_keys_{false};
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_SMALL_SPREAD_H
