// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/nic_evidence.h"

#include <utility>

namespace nixlStripe {
namespace {

    bool
    isUnanswered(const tcpSocket &socket) {
        // Who asks to be connected is answered by whoever lives, be it with a refusal.
        constexpr unsigned connects = 2;
        return socket.retransmits >= nicEvidence::least_retransmits ||
               socket.probes >= nicEvidence::least_probes ||
               (socket.state == connects && socket.retransmits > 0);
    }

} // namespace

void
nicEvidence::add(const nicLook &look) {
    for (const auto &[nic, is_up] : look.up) {
        nics_[nic].isUp = is_up;
    }
    std::map<std::string, unsigned> silent; // how many looks, by both ends
    std::map<std::string, std::string> doubtful;
    for (const auto &[ends, socket] : look.own) {
        const auto nic = look.interfaces.find(socket.localAddress);
        const auto it = nic == look.interfaces.end() ? nics_.end() : nics_.find(nic->second);
        if (it == nics_.end()) {
            continue;
        }
        if (socket.retransmits + socket.probes > 0 && !isOver(socket)) {
            doubtful[ends] = nic->second;
        }
        const auto before = silent_.find(ends);
        const unsigned looks = before == silent_.end() ? 0 : before->second;
        if (isUnanswered(socket) && !isOver(socket)) {
            silent[ends] = looks + 1;
            if (looks + 1 >= least_looks) {
                it->second.wasSilent = true;
                it->second.silentAt = look.at;
            }
        } else if (looks > 0) {
            it->second.wasSilent = false; // an answer came after all
        }
    }
    for (const auto &[ends, nic] : doubtful_) {
        if (look.hasOwn && look.own.count(ends) == 0) {
            nics_[nic].wasSilent = true;
            nics_[nic].silentAt = look.at;
        }
    }
    silent_ = std::move(silent);
    doubtful_ = std::move(doubtful);
}

std::string
nicEvidence::against(const std::string &nic, time_t now) const {
    const auto it = nics_.find(nic);
    if (it == nics_.end()) {
        return "";
    }
    if (!it->second.isUp) {
        return no_carrier;
    }
    return it->second.wasSilent && now - it->second.silentAt <= memory ? no_answer : "";
}

} // namespace nixlStripe
