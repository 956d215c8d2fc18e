// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_PLAN_FIXTURE_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_PLAN_FIXTURE_H

#include "errors.h"
#include "hosts.h"
#include "ucx/plan.h"

#include <map>
#include <optional>
#include <string>

namespace nixlStripe::testing {

using texts_t = std::map<std::string, std::string>;

/** Two GPUs and four NICs, half of them on either NUMA node; mlx5_3 runs at half the speed. */
inline machine
fourNics(bool is_even = true) {
    machine host = switchedHost(2, 1, 2);
    host.nics[3].ports[0].rateGbps = is_even ? 400 : 200;
    return host;
}

inline planInputs
inputsFor(const texts_t &parameters, const texts_t &environment, const texts_t &engine_config) {
    planInputs inputs;
    inputs.parameters = parameterSet(parameters, environment);
    inputs.environment = environment;
    inputs.engineConfig = engine_config;
    inputs.readHost = [] { return fourNics(); };
    inputs.readCalibrationAt = [](const std::string &) { return std::optional<std::string>(); };
    inputs.findGpu = [](const std::string &, const std::string &text) {
        return text.empty() ? std::optional<std::string>() : std::optional<std::string>(text);
    };
    return inputs;
}

inline stripePlan
planFor(const texts_t &parameters,
        const texts_t &environment = {},
        const texts_t &engine_config = {}) {
    return makePlan(inputsFor(parameters, environment, engine_config));
}

inline std::string
errorOf(const texts_t &parameters,
        const texts_t &environment = {},
        const texts_t &engine_config = {}) {
    return textOfError([&] { planFor(parameters, environment, engine_config); });
}

/** Value of a setting that the plan makes; "-" when it leaves it alone. */
inline std::string
setting(const stripePlan &plan, const std::string &key) {
    for (const ucxSetting &each : plan.settings) {
        if (each.key == key) {
            return each.value;
        }
    }
    return "-";
}

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_PLAN_FIXTURE_H
