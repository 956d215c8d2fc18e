// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_AGENT_METRICS_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_AGENT_METRICS_H

#include "plugin/init_hook.h"
#include "plugin/metrics_file.h"
#include "ucx/plan.h"

#include <memory>
#include <string>

namespace nixlStripe {

/** What an engine is there for. */
struct engineRole {
    bool isSpare = false;             /**< it goes on with what another one of its agent has lost */
    std::shared_ptr<lossBook> losses; /**< of its transfers; nullptr: none is resumed */
    std::string noResume;             /**< why an engine that was made for it could not resume */
};

/**
 * @brief Has an agent stand in the file that its plan names.
 * @param request With which its engine was created.
 * @param role A spare goes on also where the file cannot be written just now.
 * @return nullptr where the plan names none.
 * @throws std::invalid_argument naming parameter or variable, file and the system's reason.
 */
std::unique_ptr<agentInFile> metricsOf(const std::string &agent,
                                       const stripePlan &plan,
                                       const initRequest &request,
                                       const ucxLibrary &ucx,
                                       const engineRole &role);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_AGENT_METRICS_H
