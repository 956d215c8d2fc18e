// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/agent_metrics.h"

#include "plugin/log.h"
#include "policy/metrics_path.h"
#include "topology/text.h"

#include <exception>
#include <utility>

namespace nixlStripe {

std::unique_ptr<agentInFile>
metricsOf(const std::string &agent,
          const stripePlan &plan,
          const initRequest &request,
          const ucxLibrary &ucx,
          const engineRole &role) {
    const parameterValue &wish = plan.metrics;
    if (!wish.isSet()) {
        return nullptr;
    }
    agentMetrics what;
    what.name = agent;
    what.devices = plan.devices;
    what.rails = plan.rails;
    what.settings = request.settingsInForce();
    for (const ucxSetting &setting : plan.settings) {
        if (setting.scope == scope_t::PROCESS) {
            what.settings[setting.key] = setting.value;
        }
    }
    what.ucxVersion = ucx.version();
    what.book = request.book();
    what.losses = role.losses;
    if (!what.book) {
        logOnce(logLevel_t::WARN,
                "stripe_metrics: what each NIC is handed cannot be told: " + request.bookProblem());
    }
    // A variable may be a whole fleet's, with a host that lacks the folder.
    const bool is_let_pass = wish.isOfVariable || role.isSpare;
    const auto unwritable = is_let_pass ? unwritable_t::TRY_AGAIN : unwritable_t::REFUSE;
    try {
        const writingProcess process = thisProcess();
        const std::string path =
            metricsPath(wish.origin, wish.text, processText(process), process.host);
        auto made = std::make_unique<agentInFile>(path, std::move(what), unwritable);
        log(logLevel_t::INFO, "metrics in " + path);
        return made;
    } catch (const std::runtime_error &problem) {
        refuse(wish.origin, wish.text, problem.what(), metrics_path_accepted);
    }
}

} // namespace nixlStripe
