// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_FAKE_WITNESS_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_FAKE_WITNESS_H

#include "recovery/nic_watch.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe::testing {

class fakeQuestion : public peerQuestion {
public:
    fakeQuestion(answers_t answers, unsigned late)
        : answers_(std::move(answers))
        , late_(late) {}

    bool
    isOver(std::chrono::milliseconds wait) override {
        if (wait >= pathProbe::patience) {
            late_ = 0;
        }
        return late_ == 0 || --late_ == 0;
    }

    answers_t
    answers() const override {
        return late_ == 0 ? answers_ : answers_t();
    }

private:
    const answers_t answers_;
    unsigned late_;
};

/** Evidence as a test wants it, and a clock that it turns. */
class fakeWitness : public nicWitness {
public:
    struct seen {
        std::mutex mutex;
        std::map<std::string, std::string> lost;
        std::set<std::string> mute;    /**< the peer does not answer over these */
        bool isPeerGone = false;       /**< its host answers, and nobody listens there */
        std::set<std::string> unknown; /**< nobody can be asked over these */
        unsigned late = 0;             /**< looks until an answer comes */
        unsigned questions = 0;
        std::function<void()> onQuestion = [] {};
        tcpSockets_t sockets = {{"here-there", {"here", 1, 0, 0, 0, 7}}};
        std::chrono::steady_clock::time_point clock{std::chrono::hours(1)};
        int busy = 0;
    };

    explicit fakeWitness(std::shared_ptr<seen> what)
        : seen_(std::move(what)) {}

    std::map<std::string, std::string>
    lost(const std::vector<std::string> &nics) override {
        const std::lock_guard<std::mutex> lock(seen_->mutex);
        std::map<std::string, std::string> found;
        for (const auto &item : seen_->lost) {
            if (std::find(nics.begin(), nics.end(), item.first) != nics.end()) {
                found.insert(item);
            }
        }
        return found;
    }

    std::unique_ptr<peerQuestion>
    ask(const std::vector<std::string> &nics, const std::string &connection) override {
        EXPECT_NE(connection, "");
        seen_->onQuestion();
        const std::lock_guard<std::mutex> lock(seen_->mutex);
        ++seen_->questions;
        peerQuestion::answers_t answers;
        for (const std::string &nic : nics) {
            if (seen_->unknown.count(nic) == 0) {
                const auto alive = seen_->isPeerGone ? peerQuestion::answer_t::REFUSAL
                                                     : peerQuestion::answer_t::WELCOME;
                answers[nic] = seen_->mute.count(nic) == 0 ? alive : peerQuestion::answer_t::NONE;
            }
        }
        return std::make_unique<fakeQuestion>(std::move(answers), seen_->late);
    }

    tcpSockets_t
    ownConnections() override {
        return connections();
    }

    tcpSockets_t
    connections() override {
        const std::lock_guard<std::mutex> lock(seen_->mutex);
        return seen_->sockets;
    }

    std::chrono::steady_clock::time_point
    now() override {
        const std::lock_guard<std::mutex> lock(seen_->mutex);
        return seen_->clock += std::chrono::milliseconds(1);
    }

    void
    addBusy(int change) override {
        const std::lock_guard<std::mutex> lock(seen_->mutex);
        seen_->busy += change;
    }

private:
    const std::shared_ptr<seen> seen_;
};

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_FAKE_WITNESS_H
