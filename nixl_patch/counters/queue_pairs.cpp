// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/queue_pairs.h"

#include <utility>

namespace nixlStripe {
namespace {

    constexpr std::uint32_t psn_end = 1U << 24;
    constexpr unsigned reliable = 2; // IB_QPT_RC: the only ones that READ and WRITE use at UCX

} // namespace

std::uint32_t
psnAdvance(std::uint32_t before, std::uint32_t after) {
    before &= psn_end - 1;
    after &= psn_end - 1;
    if (after >= before) {
        return after - before;
    }
    return before >= psn_end / 2 ? after + psn_end - before : after;
}

void
packetTracker::look(const std::vector<queuePair> &pairs) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, mark> seen;
    for (const queuePair &pair : pairs) {
        if (pair.isKernels || pair.type != reliable) {
            continue;
        }
        const auto key = std::make_pair(pair.number, pair.pid);
        const auto known = marks_.find(key);
        mark now;
        now.sent = pair.sendPsn.value_or(0);
        now.received = pair.receivePsn.value_or(0);
        packetTotals &total = totals_[pair.pid];
        if (looked_) {
            const mark before = known == marks_.end() ? mark{} : known->second;
            total.asked += psnAdvance(before.sent, now.sent);
            total.answered += psnAdvance(before.received, now.received);
        }
        seen[key] = now;
    }
    marks_ = std::move(seen);
    looked_ = true;
}

packetTotals
packetTracker::total() const {
    packetTotals sum;
    for (const auto &[pid, each] : totals_) {
        sum.asked += each.asked;
        sum.answered += each.answered;
    }
    return sum;
}

packetDirections
splitPackets(const packetTotals &moved, std::uint64_t sent, std::uint64_t received) {
    const std::uint64_t all = moved.asked + moved.answered;
    if (sent == 0 && received == 0) {
        return {moved.asked, moved.answered}; // nobody can tell: as if all were WRITEs
    }
    if (received < sent / 10) {
        return {all, 0};
    }
    if (sent < received / 10) {
        return {0, all};
    }
    const double part =
        static_cast<double>(sent) / (static_cast<double>(sent) + static_cast<double>(received));
    const auto out = static_cast<std::uint64_t>(static_cast<double>(all) * part);
    return {out, all - out};
}

} // namespace nixlStripe
