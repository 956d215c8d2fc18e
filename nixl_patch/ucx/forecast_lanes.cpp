// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/forecast_lanes.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

namespace nixlStripe {
namespace {

    constexpr double test_bytes = 256 << 10; /**< UCP_WIREUP_RMA_BW_TEST_MSG_SIZE */

    bool
    reaches(const lanePort &a, const lanePort &b) {
        if (a.isRdma != b.isRdma) {
            return false;
        }
        return a.subnets.empty() || b.subnets.empty() ||
               std::any_of(a.subnets.begin(), a.subnets.end(), [&](const std::string &each) {
                   return std::count(b.subnets.begin(), b.subnets.end(), each) > 0;
               });
    }

} // namespace

void
laneSet::drop(std::size_t local, const std::string &why) {
    dropped.emplace(here_.port(local).device, why);
}

std::vector<std::size_t>
laneSet::opened(const endView &end, bool is_ours) {
    std::vector<std::size_t> found;
    std::set<std::string> devices;
    const double most = end.settings.number("MAX_COMPONENT_MDS");
    for (std::size_t i = 0; i < end.end.ports.size(); ++i) {
        const lanePort &each = end.port(i);
        std::string why;
        if (each.isRdma) {
            devices.insert(deviceName(each.device));
        }
        if (static_cast<double>(devices.size()) > most && each.isRdma) {
            why = "not opened: MAX_COMPONENT_MDS=" + end.settings.text("MAX_COMPONENT_MDS");
        } else if (!end.settings.opens(each.device)) {
            why = "not opened: not in NET_DEVICES";
        } else if (!each.isRdma && !end.settings.hasTcp()) {
            why = "not opened: UCX_TLS has no tcp";
        }
        if (why.empty()) {
            found.push_back(i);
        } else if (is_ours) {
            drop(i, why);
        }
    }
    return found;
}

lanePair
laneSet::pairOf(std::size_t local, std::size_t remote) const {
    constexpr double tie_break = 1e-3;
    lanePair pair;
    pair.local = local;
    pair.remote = remote;
    const double left = here_.wired(local);
    const double right = there_.wired(remote);
    pair.wired = std::min(left, right);
    const double seconds = test_bytes / (pair.wired + tie_break * (left + right)) +
                           here_.latency(local) + there_.latency(remote);
    pair.score = 1 / seconds;
    return pair;
}

/** UCX takes the best pair, then the best among the other devices, and so on. */
void
laneSet::wireUp() {
    std::vector<std::size_t> mine = opened(here_, true);
    std::vector<std::size_t> theirs = opened(there_, false);
    has_rdma_ = std::any_of(mine.begin(), mine.end(), [&](auto i) { return here_.port(i).isRdma; });
    while (true) {
        std::optional<lanePair> best;
        for (const std::size_t local : mine) {
            for (const std::size_t remote : theirs) {
                const lanePair pair = pairOf(local, remote);
                if (reaches(here_.port(local), there_.port(remote)) &&
                    (!best || pair.score * nearly_all > best->score)) {
                    best = pair;
                }
            }
        }
        if (!best) {
            break;
        }
        lanes.push_back(*best);
        mine.erase(std::find(mine.begin(), mine.end(), best->local));
        theirs.erase(std::find(theirs.begin(), theirs.end(), best->remote));
    }
    for (const std::size_t local : mine) {
        drop(local, "no device of the target that it could reach is left");
    }
}

void
laneSet::dropSlow(const std::string &step, double (*value)(const lanePair &)) {
    const double ratio = here_.settings.number("MULTI_LANE_MAX_RATIO");
    double fastest = 0;
    for (const lanePair &lane : lanes) {
        fastest = std::max(fastest, value(lane));
    }
    std::vector<lanePair> kept;
    for (const lanePair &lane : lanes) {
        if (value(lane) * ratio >= fastest * nearly_all) {
            kept.push_back(lane);
            continue;
        }
        const bool is_theirs =
            step == "wire-up" && there_.wired(lane.remote) < here_.wired(lane.local) * nearly_all;
        const std::string limit = is_theirs ? there_.limit(lane.remote) : here_.limit(lane.local);
        char number[32];
        std::snprintf(number, sizeof(number), "%g", ratio);
        drop(lane.local,
             step + ": " + limit + ", the fastest lane has " + speedText(fastest) +
                 ", over MULTI_LANE_MAX_RATIO=" + number + " times as much");
    }
    lanes = std::move(kept);
}

} // namespace nixlStripe
