// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/planes.h"

#include <algorithm>
#include <cmath>

namespace nixlStripe {

void
planes::add(const fabric &wires, std::size_t nic, double rate_gbps, const place_t &place) {
    if (wires.subnets.empty()) {
        return;
    }
    const auto [it, is_new] = pools_.try_emplace(wires, pool{wires, {}, 0, place});
    pool &of = it->second;
    of.nics.insert(nic);
    of.rateGbps = std::max(of.rateGbps, rate_gbps);
    of.first = std::min(of.first, place);
}

void
planes::addDown(const fabric &wires) {
    ++down_[{wires.network, wires.vendor}];
}

void
planes::tell() {
    std::map<family_t, pools_t> families;
    for (const auto &[wires, each] : pools_) {
        families[{wires.network, wires.vendor}].push_back(&each);
    }
    for (auto &[family, pools] : families) {
        std::sort(pools.begin(), pools.end(), [](const pool *a, const pool *b) {
            return std::pair(b->nics.size(), a->first) < std::pair(a->nics.size(), b->first);
        });
        tellFamily(pools, down_[family]);
    }
}

/** @p left The pools of one family, the largest first. @p down NICs of it that are down. */
void
planes::tellFamily(pools_t left, std::size_t down) {
    while (!left.empty()) {
        const pool &largest = *left.front();
        const std::size_t most = largest.nics.size();
        const auto is_alike = [&](const pool &each) {
            const bool is_rail = most == 1; // then each of them is one NIC
            return is_rail || std::llround(each.rateGbps) == std::llround(largest.rateGbps);
        };
        std::map<std::size_t, std::size_t> lacking; // NICs of a pool -> what all such lack together
        for (const pool *each : left) {
            lacking[each->nics.size()] += is_alike(*each) ? most - each->nics.size() : 0;
        }
        pools_t together;
        pools_t others;
        std::size_t spare = down;
        for (auto it = lacking.rbegin(); it != lacking.rend(); ++it) {
            const auto &[count, lack] = *it;
            const bool is_filled = lack <= spare;
            spare -= is_filled ? lack : 0;
            for (const pool *each : left) {
                if (each->nics.size() == count) {
                    const bool fits = is_alike(*each) && (is_filled || 2 * count > most);
                    (fits ? together : others).push_back(each);
                }
            }
        }
        name(std::move(together));
        left = std::move(others);
    }
}

/** Calls the fabric of some pools by the first of their subnets. */
void
planes::name(pools_t together) {
    std::set<std::size_t> owners;
    std::size_t ports = 0;
    for (const pool *each : together) {
        owners.insert(each->nics.begin(), each->nics.end());
        ports += each->nics.size();
    }
    const bool is_shared = ports > owners.size() && ports > together.size();
    const auto first =
        *std::min_element(together.begin(), together.end(), [](const pool *a, const pool *b) {
            return a->first < b->first;
        });
    for (const pool *each : together) {
        names_[each->wires] = is_shared ? each->wires.subnets : first->wires.subnets;
    }
}

std::string
planes::of(const fabric &wires) const {
    const auto it = names_.find(wires);
    return it == names_.end() ? wires.subnets : it->second;
}

} // namespace nixlStripe
