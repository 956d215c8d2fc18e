// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file memory_book.h
 * @brief What an engine was told of memory, so that another engine can be told the same.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_MEMORY_BOOK_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_MEMORY_BOOK_H

#include "recovery/engine_abi.h"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace nixlStripe {

/** Memory that the engine has metadata for. */
struct knownMemory {
    abi::blobDesc memory;
    int kind = 0;      /**< nixl_mem_t */
    std::string agent; /**< whose it is; "" = registered here */

    bool
    isRemote() const {
        return !agent.empty();
    }
};

/** By the metadata of the first engine. For several threads. */
class memoryBook {
public:
    void add(void *metadata, knownMemory memory);
    void remove(void *metadata);

    /** nullptr when it is unknown. */
    std::shared_ptr<const knownMemory> find(void *metadata) const;

    /**
     * Whether each descriptor lies in the memory that its metadata stands for, of @p agent ("" =
     * here): the layouts are as they were written down.
     */
    bool fits(const std::vector<abi::metaDesc> &items, const std::string &agent) const;

private:
    mutable std::mutex mutex_;
    std::unordered_map<void *, std::shared_ptr<const knownMemory>> known_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_MEMORY_BOOK_H
