// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/max_flow.h"

#include <algorithm>
#include <queue>

namespace nixlStripe {
namespace {

    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    /** Capacity that rounding leaves behind; rates are Gbit/s, so this is a bit a second. */
    constexpr double negligible = 1e-9;

} // namespace

std::size_t
flowNetwork::addNode() {
    leaving_.emplace_back();
    return leaving_.size() - 1;
}

void
flowNetwork::addPipe(std::size_t from, std::size_t to, double capacity) {
    leaving_[from].push_back(pipes_.size());
    pipes_.push_back({to, capacity});
    leaving_[to].push_back(pipes_.size());
    pipes_.push_back({from, 0});
}

double
flowNetwork::maxFlow(std::size_t source, std::size_t sink) const {
    std::vector<pipe> rest = pipes_;
    double total = 0;
    while (true) {
        std::vector<std::size_t> reached_by(leaving_.size(), none);
        std::queue<std::size_t> frontier({source});
        while (!frontier.empty() && reached_by[sink] == none) {
            const std::size_t node = frontier.front();
            frontier.pop();
            for (const std::size_t index : leaving_[node]) {
                const std::size_t to = rest[index].to;
                if (to != source && reached_by[to] == none && rest[index].capacity > negligible) {
                    reached_by[to] = index;
                    frontier.push(to);
                }
            }
        }
        if (reached_by[sink] == none) {
            return total;
        }
        double amount = unlimited;
        for (std::size_t node = sink; node != source; node = rest[reached_by[node] ^ 1U].to) {
            amount = std::min(amount, rest[reached_by[node]].capacity);
        }
        if (amount == unlimited) {
            return unlimited;
        }
        for (std::size_t node = sink; node != source; node = rest[reached_by[node] ^ 1U].to) {
            rest[reached_by[node]].capacity -= amount;
            rest[reached_by[node] ^ 1U].capacity += amount;
        }
        total += amount;
    }
}

} // namespace nixlStripe
