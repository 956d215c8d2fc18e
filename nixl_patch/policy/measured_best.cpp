// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/measured_best.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    using names_t = std::vector<std::string>;

    /** Rates that differ by less than this part were measured to be the same. */
    constexpr double same = 0.01;

    /** What each set of these NICs carries at least. */
    std::map<names_t, double>
    ratesOf(const calibration &measured,
            const std::string &memory,
            const std::set<std::string> &usable) {
        std::map<names_t, double> rates;
        for (const measuredSet &each : measured.sets) {
            names_t left;
            std::copy_if(each.devices.begin(),
                         each.devices.end(),
                         std::back_inserter(left),
                         [&](const std::string &device) { return usable.count(device) > 0; });
            if (each.memory == memory && !left.empty()) {
                const double part =
                    static_cast<double>(left.size()) / static_cast<double>(each.devices.size());
                double &rate = rates[left];
                rate = std::max(rate, part * each.gbps());
            }
        }
        for (const measuredSet &each : measured.sets) { // its own measurement has the last word
            if (const auto it = rates.find(each.devices);
                each.memory == memory && it != rates.end()) {
                it->second = each.gbps();
            }
        }
        return rates;
    }

    names_t
    fastest(const std::map<names_t, double> &rates) {
        double most = 0;
        for (const auto &[set, rate] : rates) {
            most = std::max(most, rate);
        }
        const names_t *chosen = nullptr;
        for (const auto &[set, rate] : rates) {
            const bool is_good = rate >= most * (1 - same);
            const bool is_better = chosen == nullptr || set.size() < chosen->size() ||
                                   (set.size() == chosen->size() && rate > rates.at(*chosen));
            if (is_good && is_better) {
                chosen = &set;
            }
        }
        return chosen == nullptr ? names_t() : *chosen;
    }

    std::string
    rounded(double gbps) {
        constexpr double small = 10;
        return rateText(gbps < small ? std::round(gbps * 100) / 100 : std::round(gbps)) + " Gbit/s";
    }

    std::string
    whyNot(const calibration &measured,
           const std::string &memory,
           const names_t &set,
           double rate,
           const std::string &device) {
        names_t with = set;
        with.push_back(device);
        const std::string begin = "measured: the set carries " + rounded(rate);
        if (const measuredSet *both = measured.find(memory, with)) {
            return begin + " without it and " + rounded(both->gbps()) + " with it";
        }
        const double most = measured.most(memory, with);
        return most <= rate * (1 + same) ? begin + ", and at most " + rounded(most) + " with it"
                                         : begin + ", no set with it carried more";
    }

} // namespace

bool
keepMeasuredBest(const calibration &measured, const std::string &memory, usableNics &usable) {
    std::set<std::string> devices;
    for (const nicPort &at : usable.ports) {
        devices.insert(at.text());
    }
    const std::map<names_t, double> rates = ratesOf(measured, memory, devices);
    const names_t set = fastest(rates);
    if (set.empty()) {
        return false;
    }
    std::vector<std::string> reasons;
    for (const nicPort &at : usable.ports) {
        const std::string device = at.text();
        const bool is_in = std::binary_search(set.begin(), set.end(), device);
        reasons.push_back(is_in ? "" : whyNot(measured, memory, set, rates.at(set), device));
    }
    leaveOut(usable, reasons);
    return true;
}

} // namespace nixlStripe
