// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/late_bytes.h"

namespace nixlStripe {

void
lateBytes::add(const tcpSockets_t &own, time_t now) {
    for (const auto &[ends, socket] : own) {
        open_.insert(ends);
    }
    is_known_ |= !own.empty();
    since_ = now;
}

bool
lateBytes::isOver(const tcpSockets_t &sockets, time_t now) {
    for (auto it = open_.begin(); it != open_.end();) {
        const auto found = sockets.find(*it);
        const bool is_empty = found == sockets.end() || found->second.unacked == 0 ||
                              nixlStripe::isOver(found->second);
        it = is_empty ? open_.erase(it) : std::next(it);
    }
    return open_.empty() && now - since_ >= packet_life;
}

} // namespace nixlStripe
