// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"
#include "policy/ceiling.h"
#include "policy/parameters.h"
#include "topology/distance.h"
#include "topology/limits.h"
#include "ucx/plan.h"

#include <cmath>
#include <string>

namespace nixlStripe {
namespace {

    void
    checkMachine(const machine &host) {
        checkSize(host);
        for (const auto &[address, node] : host.pci) {
            claim(node.parent.empty() || host.pci.count(node.parent) == 1);
            claim(std::isfinite(node.linkGtps) && node.linkGtps >= 0);
        }
        for (const rdmaNic &nic : host.nics) {
            for (const port &item : nic.ports) {
                claim(std::isfinite(item.rateGbps) && item.rateGbps >= 0);
                claim(item.hasGid || item.gids.empty());
            }
        }
        constexpr std::size_t most_pairs = 5000;
        if (host.gpus.size() * host.nics.size() <= most_pairs) {
            for (const gpu &each : host.gpus) {
                for (const rdmaNic &nic : host.nics) {
                    claim(affinityBetween(host, each, nic).distance <= distance_t::SYS);
                }
            }
        }
    }

} // namespace

void
planEverything(const machine &host) {
    checkMachine(host);
    for (const char *policy : {"all", "best", "numa", "nearest", "fair", "auto", "3", "^mlx5_0"}) {
        allowRefusal([&] {
            planInputs inputs;
            inputs.parameters = parameterSet({{"stripe", policy}}, {});
            inputs.readHost = [&] { return host; };
            inputs.findGpu = [&](const std::string &, const std::string &) {
                return host.gpus.empty() ? std::nullopt
                                         : std::optional<std::string>(host.gpus.front().pci);
            };
            const stripePlan plan = makePlan(inputs);
            claim(plan.rails <= 64 && plan.devices.size() <= 64);
            const auto most = ceilingGbps(host, plan.devices, plan.gpuPci);
            const auto even = evenGbps(host, plan.devices, plan.gpuPci);
            // A flow network takes rates of a bit a second and less for none.
            constexpr double rounding = 1e-6;
            claim(!most || !even || *even <= *most * (1 + rounding) + rounding);
        });
    }
}

} // namespace nixlStripe
