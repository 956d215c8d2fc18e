// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/small_spread.h"

#include <algorithm>
#include <utility>

namespace nixlStripe {

struct smallSpread::endpointState {
    endpointState(const void *its_worker, const watched &its)
        : worker(its_worker)
        , context(its.context)
        , batch(its.chunk) {}

    const void *worker;
    const void *context;
    batchLanes batch;
    std::mutex mutex; /**< no call_once: it would need glibc 2.34 */
    bool hasLanes = false;
    std::vector<unsigned> lanes; /**< peer's memory domain of each */
};

struct smallSpread::keyState {
    keyState(std::shared_ptr<endpointState> its_state, void *its_endpoint, const void *packed_key)
        : state(std::move(its_state))
        , endpoint(its_endpoint)
        , packed(packed_key) {}

    std::shared_ptr<endpointState> state;
    void *endpoint;
    packedKey packed;
    std::mutex mutex;
    bool hasLanes = false;
    std::vector<unsigned> lanes; /**< domains of the lanes that reach the memory */
    std::vector<void *> narrow;  /**< by lane; made when a buffer first takes it */
};

smallSpread::smallSpread(calls ucx)
    : ucx_(std::move(ucx)) {}

void
smallSpread::watchContext(const void *context, std::size_t chunk) {
    const std::lock_guard<std::mutex> lock(mutex_);
    contexts_[context] = chunk;
    const std::size_t limit = batchLanes::evenFrom(chunk, batchLanes::max_lanes);
    too_large_ = std::max(too_large_.load(), limit);
}

void
smallSpread::forgetContext(const void *context) {
    const std::lock_guard<std::mutex> lock(mutex_);
    contexts_.erase(context);
}

void
smallSpread::workerMade(const void *context, const void *worker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto it = contexts_.find(context); it != contexts_.end()) {
        workers_[worker] = {context, it->second};
    } else {
        workers_.erase(worker);
    }
}

void
smallSpread::workerGone(const void *worker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (workers_.erase(worker) == 0) {
        return;
    }
    for (auto it = endpoints_.begin(); it != endpoints_.end();) {
        it = it->second->worker == worker ? endpoints_.erase(it) : std::next(it);
    }
    for (auto it = keys_.begin(); it != keys_.end();) {
        it = it->second->state->worker == worker ? keys_.erase(it) : std::next(it);
    }
}

void
smallSpread::endpointMade(const void *worker, void *endpoint) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto it = workers_.find(worker); it != workers_.end()) {
        endpoints_[endpoint] = std::make_shared<endpointState>(worker, it->second);
    } else {
        endpoints_.erase(endpoint);
    }
}

void
smallSpread::endpointGone(const void *endpoint) {
    const std::lock_guard<std::mutex> lock(mutex_);
    endpoints_.erase(endpoint);
}

bool
smallSpread::keyPacked(const void *packed, std::size_t size) {
    const bool is_known = packedKey::describes(packed, size);
    (is_known ? knows_keys_ : has_strange_keys_) = true;
    return is_known;
}

bool
smallSpread::knowsKeys(const void *context) {
    if (!knows_keys_ && !has_strange_keys_) {
        ucx_.packOne(context);
    }
    return knows_keys_ && !has_strange_keys_;
}

void
smallSpread::keyMade(void *endpoint, const void *packed, const void *key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    keys_.erase(key);
    const auto it = endpoints_.find(endpoint);
    if (it != endpoints_.end() && knowsKeys(it->second->context)) {
        keys_[key] = std::make_shared<keyState>(it->second, endpoint, packed);
    }
}

void
smallSpread::keyGone(const void *key) {
    std::shared_ptr<keyState> state;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto it = keys_.find(key);
        if (it == keys_.end()) {
            return;
        }
        state = std::move(it->second);
        keys_.erase(it);
    }
    for (void *narrow : state->narrow) {
        if (narrow != nullptr) {
            ucx_.destroy(narrow);
        }
    }
}

void
smallSpread::findLanes(keyState &state) const {
    if (state.hasLanes) {
        return;
    }
    endpointState &endpoint = *state.state;
    {
        const std::lock_guard<std::mutex> lock(endpoint.mutex);
        if (!endpoint.hasLanes) {
            endpoint.lanes = ucx_.lanes(state.endpoint);
            endpoint.hasLanes = true;
        }
    }
    for (const unsigned domain : endpoint.lanes) {
        if (state.lanes.size() < batchLanes::max_lanes &&
            (state.packed.domains() >> domain & 1) != 0) {
            state.lanes.push_back(domain);
        }
    }
    state.narrow.resize(state.lanes.size());
    state.hasLanes = true;
}

void *
smallSpread::narrowKey(keyState &state, std::size_t bytes) const {
    const std::lock_guard<std::mutex> lock(state.mutex);
    findLanes(state);
    if (state.lanes.size() < 2) {
        return nullptr;
    }
    const auto lane = state.state->batch.next(bytes, state.lanes.size());
    if (!lane) {
        return nullptr;
    }
    void *&key = state.narrow[*lane];
    if (key == nullptr) {
        const auto packed = state.packed.narrowedTo(state.lanes[*lane]);
        if (!packed || ucx_.unpack(state.endpoint, packed->data(), &key) != ucs_ok) {
            key = nullptr;
        }
    }
    return key;
}

void *
smallSpread::keyFor(const void *endpoint, std::size_t bytes, void *key) {
    if (bytes >= too_large_.load(std::memory_order_relaxed)) {
        return key;
    }
    std::shared_ptr<keyState> state;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto it = keys_.find(key);
        if (it == keys_.end() || it->second->endpoint != endpoint) {
            return key;
        }
        state = it->second;
    }
    void *narrow = narrowKey(*state, bytes);
    return narrow != nullptr ? narrow : key;
}

void
smallSpread::flushed(const void *endpoint) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto it = endpoints_.find(endpoint); it != endpoints_.end()) {
        it->second->batch.endBatch();
    }
}

} // namespace nixlStripe
