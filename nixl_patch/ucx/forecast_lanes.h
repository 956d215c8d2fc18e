// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file forecast_lanes.h
 * @brief Wire-up: which devices UCX opens, and which of the two ends it pairs.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_LANES_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_LANES_H

#include "ucx/forecast_end.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/** A device of the initiator with the device of the target that UCX pairs it with. */
struct lanePair {
    std::size_t local = 0;
    std::size_t remote = 0;
    double wired = 0;
    double score = 0;
    double bandwidth = 0; /**< of the protocol's lane */
};

/** The lanes that are left, in the order of wire-up, and what every other device fell to. */
class laneSet {
public:
    laneSet(const endView &here, const endView &there)
        : here_(here)
        , there_(there) {}

    /** Opens the devices of both ends and pairs them as UCX does. */
    void wireUp();

    /** Whether any RDMA device of the initiator was opened. */
    bool
    hasRdma() const {
        return has_rdma_;
    }

    /** Drops lanes that are slower than the fastest divided by MULTI_LANE_MAX_RATIO. */
    void dropSlow(const std::string &step, double (*value)(const lanePair &));

    /** Drops the lanes that @p is_out is true for. */
    template <typename predicate_t>
    void
    remove(predicate_t is_out, const std::string &why) {
        std::vector<lanePair> kept;
        for (const lanePair &lane : lanes) {
            if (is_out(lane)) {
                drop(lane.local, why);
            } else {
                kept.push_back(lane);
            }
        }
        lanes = std::move(kept);
    }

    std::vector<lanePair> lanes;
    std::map<std::string, std::string> dropped; /**< device of the initiator -> why */

private:
    void drop(std::size_t local, const std::string &why);
    std::vector<std::size_t> opened(const endView &end, bool is_ours);
    lanePair pairOf(std::size_t local, std::size_t remote) const;

    const endView &here_;
    const endView &there_;
    bool has_rdma_ = false;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_LANES_H
