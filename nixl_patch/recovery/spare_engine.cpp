// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/spare_engine.h"

#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    /** The table's functions are those of one class: another must not be called with them. */
    void *
    made(const engineTable &table, const engineMaker &maker, const std::vector<std::string> &nics) {
        void *engine = maker.make(nics);
        if (engine == nullptr) {
            throw std::runtime_error("the stock plugin makes none");
        }
        if (!table.isOfClass(engine)) {
            maker.destroy(engine);
            throw std::runtime_error("it is of another class than the first");
        }
        return engine;
    }

} // namespace

spareEngine::spareEngine(const engineTable &table,
                         const engineMaker &maker,
                         const memoryBook &known,
                         std::vector<std::string> nics)
    : maker_(maker)
    , known_(known)
    , nics_(std::move(nics))
    , engine_(table, made(table, maker, nics_)) {}

spareEngine::~spareEngine() {
    for (const auto &[first, item] : loaded_) {
        unload(item);
    }
    if (page_metadata_ != nullptr) {
        engine_.deregister(page_metadata_);
    }
    for (const std::string &agent : connected_) {
        engine_.disconnect(agent);
    }
    maker_.destroy(engine_.get());
}

int
spareEngine::connect(const std::string &agent, const std::string &connection) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (connected_.count(agent) != 0) {
        return abi::status_done;
    }
    const int status = engine_.loadConnection(agent, connection);
    if (status == abi::status_done) {
        connected_.insert(agent);
    }
    return status;
}

void
spareEngine::disconnect(const std::string &agent) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (connected_.erase(agent) == 0) {
        return;
    }
    // A key of its memory is of the connection that goes.
    for (auto it = loaded_.begin(); it != loaded_.end();) {
        if (it->second.isRemote && it->second.agent == agent) {
            unload(it->second);
            it = loaded_.erase(it);
        } else {
            ++it;
        }
    }
    engine_.disconnect(agent);
}

int
spareEngine::translate(std::vector<abi::metaDesc> &items) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (abi::metaDesc &item : items) {
        loaded &found = loaded_[item.metadata];
        if (found.metadata == nullptr) {
            const int status = load(item.metadata, found);
            if (status != abi::status_done) {
                loaded_.erase(item.metadata);
                return status;
            }
        }
        item.metadata = found.metadata;
    }
    return abi::status_done;
}

int
spareEngine::load(void *metadata, loaded &found) {
    const std::shared_ptr<const knownMemory> known = known_.find(metadata);
    if (known == nullptr) {
        return abi::status_not_found;
    }
    found.isRemote = known->isRemote();
    found.agent = known->agent;
    return found.isRemote
               ? engine_.loadRemote(known->memory, known->kind, known->agent, found.metadata)
               : engine_.registerMemory(known->memory, known->kind, found.metadata);
}

void
spareEngine::unload(const loaded &item) const {
    static_cast<void>(item.isRemote ? engine_.unload(item.metadata)
                                    : engine_.deregister(item.metadata));
}

void
spareEngine::forget(void *metadata) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = loaded_.find(metadata);
    if (it != loaded_.end()) {
        unload(it->second);
        loaded_.erase(it);
    }
}

int
spareEngine::scratch(abi::metaDesc &byte) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto address = reinterpret_cast<std::uintptr_t>(page_.data());
    if (page_metadata_ == nullptr) {
        const abi::blobDesc page = {address, page_.size(), 0, ""};
        const int status = engine_.registerMemory(page, abi::memory_dram, page_metadata_);
        if (status != abi::status_done) {
            page_metadata_ = nullptr;
            return status;
        }
    }
    byte = {address, 1, 0, page_metadata_};
    return abi::status_done;
}

} // namespace nixlStripe
