// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file resume_engine.h
 * @brief An engine of the stock plugin whose transfers go on when a NIC dies.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_RESUME_ENGINE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_RESUME_ENGINE_H

#include "recovery/engine_table.h"
#include "recovery/loss_book.h"
#include "recovery/peer_line.h"
#include "recovery/spare_pool.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace nixlStripe {

/** What a resume needs to know of the first engine. */
struct resumeWish {
    void *engine = nullptr;
    std::string agent; /**< its own name */
    std::vector<std::string> nics;
    engineMaker maker;
    std::function<void(const std::string &)> say; /**< one line for the user */
    std::shared_ptr<lossBook> losses = std::make_shared<lossBook>();
};

/**
 * @brief Stands before the virtual functions of one engine for as long as it lives.
 *
 * Transfers to other agents over memory that this engine registered go by a line for each peer
 * (peer_line.h). All else, and what does not look as it was written down, goes to the stock
 * functions as ever.
 */
class resumeEngine {
public:
    /**
     * @throws std::runtime_error saying why this engine cannot resume; then it is as it was.
     */
    resumeEngine(resumeWish wish,
                 const engineSymbols &symbols,
                 std::unique_ptr<nicWitness> witness);
    resumeEngine(const resumeEngine &) = delete;
    resumeEngine &operator=(const resumeEngine &) = delete;

    /** Before the engine is destroyed. Spares are destroyed here. */
    ~resumeEngine();

private:
    struct held {
        std::shared_ptr<peerLine> line;
        std::shared_ptr<transferRecord> record;
    };

    friend struct resumeFunctions; /**< the slots */

    std::shared_ptr<peerLine> lineTo(const std::string &peer);
    held find(void *handle);
    held take(void *handle);
    void keep(void *handle, held transfer);
    bool canResume(const abi::metaList &local,
                   const abi::metaList &remote,
                   const std::string &peer) const;

    const resumeWish wish_;
    engineTable table_;
    std::unique_ptr<nicWitness> witness_;
    std::unique_ptr<sparePool> spares_;
    std::unique_ptr<resumeParts> parts_;
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<peerLine>> lines_;
    std::unordered_map<void *, held> transfers_; /**< by NIXL's handle */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_RESUME_ENGINE_H
