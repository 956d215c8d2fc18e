// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/traps.h"

#include "topology/text.h"
#include "ucx/devices.h"

#include <algorithm>

namespace nixlStripe {
namespace {

    /** Port rate of a device as UCX names it, Gbit/s; 0 = unknown. */
    double
    rateOf(const std::string &device, const machine &host) {
        for (const rdmaNic &nic : host.nics) {
            for (const port &each : nic.ports) {
                if (nic.name + ":" + std::to_string(each.number) == device) {
                    return each.rateGbps;
                }
            }
        }
        return 0;
    }

} // namespace

std::vector<trap>
findTraps(const environment_t &environment,
          const std::map<std::string, std::string> &engine_config,
          const trapFacts &facts) {
    std::vector<trap> found;
    if (facts.nicCount < 2) {
        return found;
    }
    for (const trapRule &rule : trapTable()) {
        const std::string variable = "UCX_" + std::string(rule.key);
        const auto in_environment = environment.find(variable);
        const auto in_config = engine_config.find(std::string(rule.key));
        const bool is_variable = in_environment != environment.end();
        if (!is_variable && in_config == engine_config.end()) {
            continue;
        }
        const std::string &value = is_variable ? in_environment->second : in_config->second;
        if (!rule.hurts(value, facts)) {
            continue;
        }
        std::string fix = is_variable ? "unset " + variable
                                      : "take " + std::string(rule.key) + " out of engine_config";
        if (!rule.fix.empty()) {
            fix += ", or " + std::string(rule.fix);
        }
        found.push_back({is_variable ? variable : std::string(rule.key) + " in engine_config",
                         value,
                         std::string(rule.effect),
                         fix});
    }
    return found;
}

bool
haveTrapKeys(const environment_t &environment,
             const std::map<std::string, std::string> &engine_config) {
    const std::vector<trapRule> &table = trapTable();
    return std::any_of(table.begin(), table.end(), [&](const trapRule &rule) {
        const std::string key(rule.key);
        return environment.count("UCX_" + key) != 0 || engine_config.count(key) != 0;
    });
}

trapFacts
trapFactsOf(const machine &host, const std::vector<std::string> &devices) {
    trapFacts facts;
    facts.hasGpu = !host.gpus.empty();
    facts.usesTcp = devices.empty() ? host.nics.empty() : areNetInterfaces(devices, host);
    facts.usesRdma = !facts.usesTcp;
    double slowest = 0;
    double fastest = 0;
    for (const std::string &device : devices) {
        if (const double rate = rateOf(device, host); rate > 0) {
            slowest = slowest > 0 ? std::min(slowest, rate) : rate;
            fastest = std::max(fastest, rate);
        }
    }
    facts.rateRatio = slowest > 0 ? fastest / slowest : 1;
    return facts;
}

std::string
trap::text() const {
    return assignment(key, value) + ": " + effect + "; " + fix;
}

} // namespace nixlStripe
