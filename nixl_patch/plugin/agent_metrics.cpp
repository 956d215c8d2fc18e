// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/agent_metrics.h"

#include "plugin/log.h"
#include "policy/metrics_path.h"
#include "topology/text.h"

#include <exception>
#include <unistd.h>
#include <utility>

namespace nixlStripe {

std::unique_ptr<agentInFile>
metricsOf(const std::string &agent,
          const stripePlan &plan,
          const initRequest &request,
          const ucxLibrary &ucx) {
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
    if (!what.book) {
        logOnce(logLevel_t::WARN,
                "stripe_metrics: what each NIC is handed cannot be told: " + request.bookProblem());
    }
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    try {
        const std::string path = metricsPath(wish.origin, wish.text, ::getpid(), host);
        auto made = std::make_unique<agentInFile>(path, std::move(what));
        log(logLevel_t::INFO, "metrics in " + path);
        return made;
    } catch (const std::runtime_error &problem) {
        refuse(wish.origin, wish.text, problem.what(), metrics_path_accepted);
    }
}

} // namespace nixlStripe
