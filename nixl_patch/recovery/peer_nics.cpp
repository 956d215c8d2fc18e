// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The part of a peer's line that says which NICs are lost, and which are back.
#include "recovery/peer_line.h"
#include "topology/text.h"

#include <algorithm>
#include <iterator>

namespace nixlStripe {

std::vector<std::string>
peerLine::without(const std::vector<std::string> &nics, const lost_t &lost) {
    std::vector<std::string> left;
    std::copy_if(nics.begin(), nics.end(), std::back_inserter(left), [&](const auto &nic) {
        return lost.count(nic) == 0;
    });
    return left;
}

/**
 * What was seen of these NICs, and for those of which nothing was the peer is asked. A NIC that was
 * idle shows only so that it is lost. Where the peer answers over none, it may be dead itself.
 */
peerLine::findings
peerLine::findingsOn(const std::vector<std::string> &nics, lock_t &lock) {
    using answer_t = peerQuestion::answer_t;
    findings found = {parts_.witness.lost(nics), presence_t::UNKNOWN};
    const std::vector<std::string> left = without(nics, found.lost);
    peerQuestion::answers_t answers;
    withoutLock(lock, [&, connection = connection_] {
        const auto question = parts_.witness.ask(left, connection);
        question->isOver(pathProbe::patience);
        answers = question->answers();
    });
    const auto is_answered = [](const auto &item) { return item.second != answer_t::NONE; };
    const bool is_there = std::any_of(answers.begin(), answers.end(), is_answered);
    for (const auto &item : answers) {
        if (is_there && !is_answered(item)) {
            found.lost[item.first] = nicEvidence::not_reached;
        }
    }
    if (answers.empty()) {
        return found;
    }
    const bool is_here =
        is_there && std::all_of(answers.begin(), answers.end(), [&found](const auto &item) {
            return item.second == answer_t::WELCOME || found.lost.count(item.first) != 0;
        });
    found.peer = is_here ? presence_t::HERE : presence_t::AWAY;
    return found;
}

/** Those of the lost NICs whose time has come and against which nothing speaks any more. */
std::vector<std::string>
peerLine::rested() {
    std::vector<std::string> due;
    const time_t now = parts_.witness.now();
    for (auto &[nic, state] : resting_) {
        if (now >= state.due) {
            state.due = now + before_asking;
            due.push_back(nic);
        }
    }
    return due.empty() ? due : without(due, parts_.witness.lost(due));
}

/** NICs that were lost and over which the peer answers carry their part again. */
void
peerLine::takeBack(lock_t &lock) {
    if (spare_ == nullptr) {
        return;
    }
    if (question_ == nullptr) {
        asked_ = rested();
        if (asked_.empty()) {
            return;
        }
        question_ = parts_.witness.ask(asked_, connection_);
    }
    if (!question_->isOver(longest_wait)) {
        return;
    }
    const peerQuestion::answers_t answers = question_->answers();
    question_.reset();
    std::vector<std::string> back;
    std::copy_if(asked_.begin(), asked_.end(), std::back_inserter(back), [&](const auto &nic) {
        const auto answer = answers.find(nic);
        return resting_.count(nic) != 0 &&
               (answer == answers.end() || answer->second != peerQuestion::answer_t::NONE);
    });
    if (!back.empty()) {
        takeBack(back, lock);
    }
}

void
peerLine::takeBack(const std::vector<std::string> &back, lock_t &lock) {
    std::vector<std::string> nics;
    for (const std::string &nic : parts_.nics) {
        const auto &used = spare_->nics();
        if (std::find(used.begin(), used.end(), nic) != used.end() ||
            std::find(back.begin(), back.end(), nic) != back.end()) {
            nics.push_back(nic);
        }
    }
    const bool is_back = moveTo(nics, lock);
    for (const std::string &nic : back) {
        if (is_back) {
            resting_.erase(nic);
            continue;
        }
        lostNic &state = resting_[nic];
        state.due = parts_.witness.now() + state.rest;
        state.rest = std::min(2 * state.rest, longest_rest);
    }
    if (is_back) {
        parts_.losses->back(back);
        parts_.say("back: " + joined(back) + "; transfers with " + quoted(peer_) + " go over " +
                   joined(nics));
    }
}

} // namespace nixlStripe
