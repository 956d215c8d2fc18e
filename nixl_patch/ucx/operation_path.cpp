// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/operation_path.h"

#include "ucx/request_params.h"

#include <utility>

namespace nixlStripe {

struct operationPath::contextEntry {
    const void *context;
    stages_t stages;
};

/**
 * An endpoint and its stages. Alive while anything may still come back to it: the endpoint itself,
 * keys that were unpacked for it, flushes that are under way.
 */
struct operationPath::endpointEntry final : flushOwner {
    std::shared_ptr<contextEntry> context; /**< destroyed last: stages may refer to theirs */
    std::shared_ptr<rmaEndpoint> endpoint;
    std::vector<std::unique_ptr<endpointStage>> stages;
    std::vector<endpointStage *> answered; /**< those that want answers */
    rmaCarrier *carrier = nullptr;         /**< nullptr: UCX itself */
    std::atomic<std::size_t> users{1};

    void
    use() {
        users.fetch_add(1, std::memory_order_relaxed);
    }

    void
    release() {
        if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete this;
        }
    }

    void
    begin(rmaOperation &operation) noexcept {
        for (const auto &stage : stages) {
            stage->begin(operation);
        }
    }

    void *
    end(const rmaOperation &operation, void *answer) noexcept {
        for (endpointStage *stage : answered) {
            stage->taken(operation, answer);
        }
        return answer;
    }

    void
    flushEnded(bool is_good) noexcept override {
        for (const auto &stage : stages) {
            stage->flushEnds(is_good);
        }
        release();
    }

    void
    flushLost() noexcept override {
        release();
    }
};

namespace {

    bool
    countsBytes(const void *params) {
        return (static_cast<const requestParams *>(params)->fields & requestParams::has_datatype) ==
               0;
    }

} // namespace

operationPath::operationPath(calls ucx)
    : ucx_(std::move(ucx))
    , flushes_(ucx_.flush, ucx_.release) {}

operationPath::~operationPath() {
    const auto all = [](const endpointEntry &) { return true; };
    for (const void *key : keys_.handlesWhere(all)) {
        keys_.erase(key)->release();
    }
    for (const void *endpoint : endpoints_.handlesWhere(all)) {
        endpoints_.erase(endpoint)->release();
    }
}

void
operationPath::openContext(const void *context, stages_t stages) {
    auto entry = std::make_shared<contextEntry>(contextEntry{context, std::move(stages)});
    const std::lock_guard<std::mutex> lock(mutex_);
    contexts_[context] = std::move(entry);
}

bool
operationPath::closeContext(const void *context) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return contexts_.erase(context) != 0;
}

void
operationPath::workerMade(const void *context, const void *worker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto it = contexts_.find(context); it != contexts_.end()) {
        workers_[worker] = it->second;
    } else {
        workers_.erase(worker);
    }
}

void
operationPath::workerGone(const void *worker) {
    std::shared_ptr<contextEntry> context;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto it = workers_.find(worker);
        if (it == workers_.end()) {
            return;
        }
        context = std::move(it->second);
        workers_.erase(it);
    }
    const auto is_its = [worker](const endpointEntry &entry) {
        return entry.endpoint->worker == worker;
    };
    for (const void *key : keys_.handlesWhere(is_its)) {
        endpointEntry *entry = keys_.erase(key); // nobody else may touch what was the worker's
        for (const auto &stage : entry->stages) {
            stage->keyLost(key);
        }
        entry->release();
    }
    for (const void *endpoint : endpoints_.handlesWhere(is_its)) {
        endpoints_.erase(endpoint)->release();
    }
    flushes_.workerGone(worker);
    for (const auto &stage : context->stages) {
        stage->workerGone(worker);
    }
}

std::shared_ptr<operationPath::contextEntry>
operationPath::contextOf(const void *worker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = workers_.find(worker);
    return it == workers_.end() ? nullptr : it->second;
}

const void *
operationPath::endpointAsked(const void *worker,
                             const void *params,
                             std::vector<std::uint8_t> &room) {
    if (const auto context = contextOf(worker)) {
        for (const auto &stage : context->stages) {
            params = params == nullptr ? nullptr : stage->endpointAsked(params, room);
        }
    }
    return params;
}

void
operationPath::endpointMade(const void *worker, void *endpoint) {
    endpointGone(endpoint); // it may have the address of one whose end was not seen
    const auto context = contextOf(worker);
    if (!context) {
        return;
    }
    auto entry = std::make_unique<endpointEntry>();
    entry->context = context;
    entry->endpoint = std::make_shared<rmaEndpoint>(worker, endpoint, ucx_.lanes);
    for (const auto &stage : context->stages) {
        if (auto part = stage->attach(entry->endpoint)) {
            if (part->wantsAnswers()) {
                entry->answered.push_back(part.get());
            }
            if (rmaCarrier *carrier = part->carrier()) {
                entry->carrier = carrier;
            }
            entry->stages.push_back(std::move(part));
        }
    }
    endpoints_.insert(endpoint, entry.get());
    static_cast<void>(entry.release()); // endpoints_ has it
}

void
operationPath::endpointGone(const void *endpoint) {
    if (endpoints_.find(endpoint) == nullptr) {
        return; // without the lock, as for most
    }
    if (endpointEntry *entry = endpoints_.erase(endpoint)) {
        entry->release();
    }
}

void
operationPath::keyPacked(const void *context, const void *packed, std::size_t size) {
    std::shared_ptr<contextEntry> entry;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto it = contexts_.find(context);
        if (it == contexts_.end()) {
            return;
        }
        entry = it->second;
    }
    for (const auto &stage : entry->stages) {
        stage->keyPacked(packed, size);
    }
}

const void *
operationPath::keyAsked(const void *endpoint, const void *packed, std::vector<std::uint8_t> &room) {
    if (const endpointEntry *entry = endpoints_.find(endpoint)) {
        for (const auto &stage : entry->context->stages) {
            packed = stage->keyAsked(packed, room);
        }
    }
    return packed;
}

void
operationPath::keyMade(const void *endpoint, const void *packed, void *key) {
    endpointEntry *entry = endpoints_.find(endpoint);
    if (entry == nullptr) {
        return;
    }
    entry->use();
    if (endpointEntry *before = keys_.insert(key, entry)) {
        for (const auto &stage : before->stages) {
            stage->keyLost(key);
        }
        before->release();
    }
    for (const auto &stage : entry->stages) {
        stage->keyMade(packed, key);
    }
}

void
operationPath::keyGone(const void *key) {
    if (keys_.find(key) == nullptr) {
        return;
    }
    if (endpointEntry *entry = keys_.erase(key)) {
        for (const auto &stage : entry->stages) {
            stage->keyGone(key);
        }
        entry->release();
    }
}

void *
operationPath::carry(const rmaRequest &request) const noexcept {
    return request.kind == rmaKind_t::PUT ? ucx_.put(request.endpoint,
                                                     request.buffer,
                                                     request.bytes,
                                                     request.address,
                                                     request.key,
                                                     request.params)
                                          : ucx_.get(request.endpoint,
                                                     request.buffer,
                                                     request.bytes,
                                                     request.address,
                                                     request.key,
                                                     request.params);
}

void *
operationPath::lead(rmaRequest request) noexcept {
    endpointEntry *entry = endpoints_.find(request.endpoint);
    if (entry == nullptr) {
        return carry(request);
    }
    rmaOperation operation{request.kind, countsBytes(request.params), request.bytes, request.key};
    entry->begin(operation);
    request.key = operation.key;
    return entry->end(operation,
                      entry->carrier == nullptr ? carry(request) : entry->carrier->carry(request));
}

void *
operationPath::put(void *endpoint,
                   const void *buffer,
                   std::size_t bytes,
                   std::uint64_t address,
                   void *key,
                   const void *params) noexcept {
    return lead(
        {rmaKind_t::PUT, endpoint, const_cast<void *>(buffer), bytes, address, key, params});
}

void *
operationPath::get(void *endpoint,
                   void *buffer,
                   std::size_t bytes,
                   std::uint64_t address,
                   void *key,
                   const void *params) noexcept {
    return lead({rmaKind_t::GET, endpoint, buffer, bytes, address, key, params});
}

void
operationPath::release(void *request) noexcept {
    flushes_.release(request);
}

void *
operationPath::flush(void *endpoint, const void *params) noexcept {
    endpointEntry *entry = endpoints_.find(endpoint);
    if (entry == nullptr) {
        return ucx_.flush(endpoint, params);
    }
    for (const auto &stage : entry->stages) {
        stage->flushBegins();
    }
    entry->use();
    void *answer = flushes_.flush(*entry, entry->endpoint->worker, endpoint, params);
    for (const auto &stage : entry->stages) {
        answer = stage->flushTaken(answer);
    }
    return answer;
}

} // namespace nixlStripe
