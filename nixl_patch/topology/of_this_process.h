// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file of_this_process.h
 * @brief Objects of which each process has one, forked children one of their own.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_OF_THIS_PROCESS_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_OF_THIS_PROCESS_H

#include <atomic>
#include <memory>
#include <unistd.h>

namespace nixlStripe {

/**
 * @brief The one @p value_t of this process, which is never destroyed.
 *
 * A forked child begins anew: of its parent's it has no thread, and a lock may be taken there.
 */
template <typename value_t>
value_t &
ofThisProcess() {
    struct owned {
        const long process = ::getpid();
        value_t value;
    };
    static std::atomic<owned *> current{nullptr};
    owned *found = current.load();
    while (found == nullptr || found->process != ::getpid()) {
        auto made = std::make_unique<owned>();
        if (current.compare_exchange_strong(found, made.get())) {
            return made.release()->value;
        }
    }
    return found->value;
}

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_OF_THIS_PROCESS_H
