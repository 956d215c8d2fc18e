// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The part of a peer's line that waits until nothing of what was given up can come any more.
#include "recovery/peer_line.h"
#include "topology/text.h"

#include <algorithm>
#include <utility>

namespace nixlStripe {

/** Notes what of a transfer may still be under way. @return whether that can be watched. */
bool
peerLine::giveUp(const transferRecord &record) {
    if (record.op != abi::op_write) {
        return true;
    }
    late_.add(parts_.witness.ownConnections(), parts_.witness.now());
    if (!late_.isKnown()) {
        parts_.say("the transfer with " + quoted(peer_) +
                   " is not resumed: its connections are not known");
        return false;
    }
    endFence(abi::status_in_progress);
    is_fenced_ = true;
    return true;
}

/** Whether nothing of what was given up can come any more. */
int
peerLine::fence(transferRecord &record) {
    const time_t now = parts_.witness.now();
    if (echo_ == nullptr && echoes_left_ == echoes) {
        if (now < next_look_) {
            return abi::status_in_progress;
        }
        next_look_ = now + look_interval;
        if (!late_.isOver(parts_.witness.connections(), now)) {
            if (!late_.isTooLate(now)) {
                return abi::status_in_progress;
            }
            parts_.say("what was sent to " + quoted(peer_) +
                       " before a NIC was lost may still arrive: the transfer fails");
            return abi::status_unknown_error; // which no other NIC would mend
        }
    }
    const int status = echo(record);
    if (status != abi::status_in_progress) {
        endFence(status);
    }
    return status;
}

/** Round trips through the peer, one after the other. */
int
peerLine::echo(transferRecord &record) {
    constexpr unsigned looks = 200; // at one call, so that the caller's naps do not add up
    for (unsigned i = 0; i < looks && echoes_left_ > 0; ++i) {
        const int status = echo_ == nullptr ? postEcho(record) : engineOf(echo_spare_).check(echo_);
        if (status < 0) {
            return status;
        }
        if (status == abi::status_done) {
            --echoes_left_;
            if (echo_ != nullptr) {
                engineOf(echo_spare_).release(echo_);
                echo_ = nullptr;
            }
        }
    }
    return echoes_left_ == 0 ? abi::status_done : abi::status_in_progress;
}

int
peerLine::postEcho(transferRecord &record) {
    const std::vector<abi::metaDesc> &all = record.book.remote();
    const auto found = std::find_if(
        all.begin(), all.end(), [](const abi::metaDesc &item) { return item.bytes != 0; });
    if (found == all.end() || spare_ == nullptr) {
        return abi::status_done; // nothing was written, or by an engine that has no spare
    }
    echo_spare_ = spare_;
    std::vector<abi::metaDesc> local(1);
    std::vector<abi::metaDesc> remote(1, *found);
    remote[0].bytes = 1;
    int status = spare_->scratch(local[0]);
    status = status == abi::status_done ? spare_->translate(remote) : status;
    if (status != abi::status_done) {
        return status;
    }
    const abi::metaList here = {record.localTable, abi::memory_dram, std::move(local)};
    const abi::metaList there = record.remoteList(std::move(remote));
    const stockEngine &engine = spare_->engine();
    status = engine.prepare(abi::op_read, here, there, peer_, echo_, nullptr);
    if (status < 0) {
        echo_ = nullptr;
        return status;
    }
    return engine.post(abi::op_read, here, there, peer_, echo_, nullptr);
}

/** @param status Done where it is over; else it begins anew. */
void
peerLine::endFence(int status) {
    if (echo_ != nullptr) {
        engineOf(echo_spare_).release(echo_);
        echo_ = nullptr;
    }
    echo_spare_.reset();
    echoes_left_ = echoes;
    if (status == abi::status_done) {
        is_fenced_ = false;
        late_ = {};
    }
}

} // namespace nixlStripe
