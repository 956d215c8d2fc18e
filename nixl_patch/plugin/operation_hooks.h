// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file operation_hooks.h
 * @brief Stands between the stock plugin and UCX's RMA, while a context asks for stages.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_OPERATION_HOOKS_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_OPERATION_HOOKS_H

#include "ucx/library.h"
#include "ucx/operation_path.h"

#include <cstddef>
#include <memory>
#include <string>

namespace nixlStripe {

/**
 * @brief The stock plugin's imports that make, use and destroy workers, endpoints and keys.
 *
 * They hold UCX's own addresses until a context is opened, and again once no context is open: where
 * nobody asks for a stage, nothing of ours is on the path of an operation. There is one set of
 * slots in a process; contexts that are not open go straight on while others are.
 */
class operationHooks {
public:
    /** Finds the imports, or leaves a problem(). Changes nothing. */
    static void find(void *stock, const ucxLibrary &ucx);

    /** Why no stage can be had; "" when they can. */
    static std::string problem();

    /**
     * @brief The stage in which small buffers take turns.
     * @param chunk MIN_RMA_CHUNK_SIZE of @p context in bytes.
     */
    static std::unique_ptr<contextStage> smallSpreadFor(const void *context, std::size_t chunk);

    /**
     * @brief The stage in which UCX carries on without a NIC that died.
     * @param is_gated false loses bytes; see failoverStage.
     * @throws std::runtime_error saying why it cannot be had for @p context.
     */
    static std::unique_ptr<contextStage> failoverFor(const void *context, bool is_gated);
};

/** Whether stages look at UCX's requests too. */
enum class requests_t { LEFT_ALONE, GATED };

/** Leads the operations of a context through stages for as long as it lives. */
class openStages {
public:
    /**
     * @param context Has no workers yet, and has none any more when this object goes.
     * @throws std::runtime_error when there is a problem(), or the imports cannot be redirected;
     *         then nothing was changed.
     */
    openStages(const void *context,
               operationPath::stages_t stages,
               requests_t requests = requests_t::LEFT_ALONE);
    openStages(const openStages &) = delete;
    openStages &operator=(const openStages &) = delete;
    ~openStages();

private:
    const void *context_;
    const requests_t requests_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_OPERATION_HOOKS_H
