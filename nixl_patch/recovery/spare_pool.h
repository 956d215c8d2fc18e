// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_SPARE_POOL_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_SPARE_POOL_H

#include "recovery/spare_engine.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/**
 * @brief The spare engines of an agent: peers that lost the same NICs share one.
 *
 * A spare lives as long as a peer uses it.
 */
class sparePool {
public:
    sparePool(const engineTable &table, engineMaker maker)
        : table_(table)
        , maker_(std::move(maker)) {}

    /**
     * One on these NICs, but not @p failed; made, without a lock, where there is none.
     * @throws std::exception saying why there is none.
     */
    std::shared_ptr<spareEngine> on(const std::vector<std::string> &nics,
                                    const spareEngine *failed = nullptr);

    /** The first engine forgets @p metadata: so do all spares. */
    void forget(void *metadata);

    memoryBook &
    memory() {
        return memory_;
    }

private:
    std::vector<std::shared_ptr<spareEngine>> living();

    const engineTable &table_;
    const engineMaker maker_;
    memoryBook memory_;
    std::mutex mutex_;
    std::vector<std::weak_ptr<spareEngine>> spares_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_SPARE_POOL_H
