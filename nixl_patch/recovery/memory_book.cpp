// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/memory_book.h"

#include <algorithm>
#include <utility>

namespace nixlStripe {

void
memoryBook::add(void *metadata, knownMemory memory) {
    auto made = std::make_shared<const knownMemory>(std::move(memory));
    const std::lock_guard<std::mutex> lock(mutex_);
    known_[metadata] = std::move(made);
}

void
memoryBook::remove(void *metadata) {
    const std::lock_guard<std::mutex> lock(mutex_);
    known_.erase(metadata);
}

std::shared_ptr<const knownMemory>
memoryBook::find(void *metadata) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = known_.find(metadata);
    return it == known_.end() ? nullptr : it->second;
}

bool
memoryBook::fits(const std::vector<abi::metaDesc> &items, const std::string &agent) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::all_of(items.begin(), items.end(), [&](const abi::metaDesc &item) {
        const auto it = known_.find(item.metadata);
        if (it == known_.end() || it->second->agent != agent) {
            return false;
        }
        const abi::blobDesc &whole = it->second->memory;
        return item.device == whole.device && item.address >= whole.address &&
               item.bytes <= whole.bytes &&
               item.address - whole.address <= whole.bytes - item.bytes;
    });
}

} // namespace nixlStripe
