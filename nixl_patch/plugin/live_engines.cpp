// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/live_engines.h"

#include "topology/never_destroyed.h"

#include <utility>

namespace nixlStripe {

liveEngines &
liveEngines::ofProcess() {
    static neverDestroyed<liveEngines> of_process;
    return *of_process;
}

void
liveEngines::keep(abi::engine *engine, engineNeeds needs) {
    const std::lock_guard<std::mutex> lock(mutex_);
    of_[engine] = std::move(needs);
}

void
liveEngines::resume(abi::engine *engine, std::unique_ptr<resumeEngine> resuming) {
    const std::lock_guard<std::mutex> lock(mutex_);
    of_[engine].resuming = std::move(resuming);
}

engineNeeds
liveEngines::take(abi::engine *engine) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto node = of_.extract(engine);
    return node.empty() ? engineNeeds{} : std::move(node.mapped());
}

} // namespace nixlStripe
