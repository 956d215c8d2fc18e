// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_LIVE_ENGINES_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_LIVE_ENGINES_H

#include "plugin/metrics_file.h"
#include "plugin/nixl_abi.h"
#include "plugin/operation_hooks.h"
#include "recovery/resume_engine.h"
#include "ucx/process_settings.h"

#include <map>
#include <memory>
#include <mutex>

namespace nixlStripe {

/**
 * @brief What a live engine needs.
 *
 * UCX reads DISTANCE_BW when a worker is made, again for each new connection (in the progress
 * thread, when a peer connects first), and again at the first READ and WRITE towards a peer: it
 * must stay in force as long as the engine lives. So must the stages that its operations go
 * through.
 */
struct engineNeeds {
    std::unique_ptr<processSettings> settings;
    std::unique_ptr<openStages> stages;
    std::unique_ptr<agentInFile> metrics;
    std::unique_ptr<resumeEngine> resuming; /**< goes before the engine does */
};

/** Those of the process, by engine. */
class liveEngines {
public:
    static liveEngines &ofProcess();

    void keep(abi::engine *engine, engineNeeds needs);

    /** Adds to what a kept engine holds. */
    void resume(abi::engine *engine, std::unique_ptr<resumeEngine> resuming);

    /** Returns what @p engine held, for the caller to let go of once the engine is gone. */
    engineNeeds take(abi::engine *engine);

private:
    std::mutex mutex_;
    std::map<abi::engine *, engineNeeds> of_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_LIVE_ENGINES_H
