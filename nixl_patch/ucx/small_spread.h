// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file small_spread.h
 * @brief The stage in which small buffers take turns at the NICs.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_SMALL_SPREAD_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_SMALL_SPREAD_H

#include "ucx/batch_lanes.h"
#include "ucx/key_budget.h"
#include "ucx/library.h"
#include "ucx/rma_stage.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace nixlStripe {

/**
 * @brief Chooses, for each small operation, the key to remote memory that UCX is given.
 *
 * UCX has no way to say which lane a buffer should take, but it uses only lanes whose memory domain
 * is in the key: a key narrowed to some domains is a choice of NICs. Such a key is made when a
 * small buffer of the memory first takes those lanes, and lives as long as the key that it was made
 * from. Memory is registered once, endpoints are the same, UCX's own flush covers them.
 *
 * One object serves one context: what its keys look like, and how its requests take turns, is no
 * other context's business.
 */
class smallSpread : public contextStage {
public:
    /** UCX, as far as it is needed here. */
    struct calls {
        ucsStatus_t (*unpack)(void *endpoint, const void *packed, void **key) = nullptr;
        void (*destroy)(void *key) = nullptr;
        /** A key of the context, for one that has not packed any; empty where UCX gives none. */
        std::function<std::vector<std::uint8_t>()> ownKey;
        /** Kinds of keys that a worker keeps, see keyConfigurationsOf. */
        std::size_t keyConfigurations = keyBudget::of_old_ucx;
        /** Tells the user why small buffers are left to UCX. */
        std::function<void(const std::string &)> say;
    };

    /** @param chunk The context's MIN_RMA_CHUNK_SIZE in bytes. */
    smallSpread(calls ucx, std::size_t chunk);
    ~smallSpread() override;

    /**
     * A key of this process, with its size: proves that this UCX's keys are what they should be.
     * One that is not ends spreading, here.
     */
    void keyPacked(const void *packed, std::size_t size) noexcept override;

    std::unique_ptr<endpointStage> attach(const std::shared_ptr<rmaEndpoint> &endpoint) override;

    void workerGone(const void *worker) noexcept override;

private:
    class onEndpoint;
    struct shared;

    const std::shared_ptr<shared> shared_;
    std::mutex mutex_;
    std::unordered_map<const void *, std::shared_ptr<keyBudget>> budgets_; /**< by worker */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_SMALL_SPREAD_H
