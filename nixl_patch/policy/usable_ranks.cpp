// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/usable_ranks.h"

#include "policy/fabrics.h"
#include "topology/text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

namespace nixlStripe {
namespace {

    using reasons_t = std::vector<std::string>;

    double
    rateOf(const candidate &nic) {
        double best = 0;
        for (const nicPort &at : nic.active) {
            best = std::max(best, at.rateGbps);
        }
        return best;
    }

    double
    carriedBy(const machine &host, const candidate &nic) {
        double best = 0;
        for (const nicPort &at : nic.active) {
            best = std::max(best, carriedGbps(host, at));
        }
        return best;
    }

    /** Two spellings of one rate. */
    bool
    isAlike(double rate, double other) {
        return std::abs(rate - other) <= other * rate_tolerance;
    }

    /** " eth0" or " eth0, eth1": of the ports that are left. */
    std::string
    interfacesOf(const candidate &nic) {
        std::string names;
        for (const port *at : nic.asked) {
            const bool is_left =
                std::any_of(nic.active.begin(), nic.active.end(), [&](const nicPort &active) {
                    return active.port == at->number;
                });
            if (is_left && !at->netdev.empty()) {
                append(names, at->netdev);
            }
        }
        return names.empty() ? "" : " " + names;
    }

    /** Leaves of the ports of @p nic those that peers reach best. */
    void
    keepReachable(const scene &at, candidate &nic) {
        const reach_t best = reachOf(at, nic);
        std::vector<nicPort> kept;
        for (const nicPort &active : nic.active) {
            candidate alone = nic;
            alone.active = {active};
            if (reachOf(at, alone) == best) {
                kept.push_back(active);
            }
        }
        nic.active = std::move(kept);
    }

    /** Root complexes that have a GPU: a NIC below one is near. */
    class nearness {
    public:
        explicit nearness(const machine &host)
            : host_(host) {
            for (const gpu &each : host.gpus) {
                roots_.insert(rootOf(each.pci));
            }
            roots_.erase("");
        }

        /**
         * What a NIC adds to its group, Gbit/s: its port, cut to its PCIe link, double near a GPU.
         */
        double
        weightOf(const candidate &nic) const {
            const double gbps = carriedBy(host_, nic);
            const bool is_near = !host_.isFlat && roots_.count(rootOf(nic.nic->pci)) != 0;
            return is_near ? 2 * gbps : gbps;
        }

    private:
        std::string
        rootOf(const std::string &pci) const {
            const auto it = host_.pci.find(pci);
            return it == host_.pci.end() ? "" : it->second.root;
        }

        const machine &host_;
        std::set<std::string> roots_;
    };

    /** Weight and size of a group of NICs; the heavier one is taken, then the larger. */
    struct group {
        double weight = 0;
        std::size_t count = 0;

        bool
        operator<(const group &other) const {
            return std::pair(weight, count) < std::pair(other.weight, other.count);
        }
    };

} // namespace

std::vector<std::string>
judgeNamespace(const scene &at, candidates &nics) {
    reach_t best = reach_t::ELSEWHERE;
    for (const candidate &nic : nics) {
        best = std::max(best, reachOf(at, nic));
    }
    reasons_t reasons(nics.size());
    for (std::size_t i = 0; i < nics.size(); ++i) {
        if (best == reach_t::ELSEWHERE || isInterface(nics[i])) {
            continue;
        }
        if (reachOf(at, nics[i]) == reach_t::ELSEWHERE) {
            reasons[i] = "its interface" + interfacesOf(nics[i]) +
                         " is in another network namespace: UCX finds no route there";
        } else if (!nics[i].isSpelledOut) {
            keepReachable(at, nics[i]);
        }
    }
    return reasons;
}

std::vector<std::string>
judgeBond(const scene &, candidates &nics) {
    double plain = -1;
    for (const candidate &nic : nics) {
        if (nic.nic->bondMaster.empty()) {
            plain = std::max(plain, rateOf(nic));
        }
    }
    reasons_t reasons;
    for (const candidate &nic : nics) {
        const std::string &bond = nic.nic->bondMaster;
        const bool gives_way =
            !bond.empty() && plain >= 0 && rateOf(nic) <= plain * (1 + rate_tolerance);
        reasons.push_back(!gives_way ? ""
                                     : "part of the bond " + bond +
                                           ", which spreads traffic by itself (a list that names "
                                           "the NIC overrides this)");
    }
    return reasons;
}

std::vector<std::string>
judgeFabric(const scene &at, candidates &nics) {
    const nearness near(at.host);
    const std::vector<std::string> of = fabricsOf(at.host, nics);
    std::map<std::string, group> fabrics;
    for (std::size_t i = 0; i < nics.size(); ++i) {
        group &fabric = fabrics[of[i]];
        fabric.weight += near.weightOf(nics[i]);
        ++fabric.count;
    }
    reasons_t reasons(nics.size());
    if (fabrics.size() < 2) {
        return reasons;
    }
    const auto best =
        std::max_element(fabrics.begin(), fabrics.end(), [](const auto &a, const auto &b) {
            return a.second < b.second;
        });
    double fastest = 0;
    for (std::size_t i = 0; i < nics.size(); ++i) {
        fastest = of[i] == best->first ? std::max(fastest, rateOf(nics[i])) : fastest;
    }
    const auto named = [](const std::string &fabric) {
        return fabric.empty() ? std::string("an unknown fabric") : fabric;
    };
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const double rate = rateOf(nics[i]);
        if (of[i] == best->first) {
            continue;
        }
        if (rate > 0 && rate < fastest) {
            reasons[i] = rateText(rate) + " Gbit/s is below " + rateText(fastest) + " Gbit/s, and ";
        }
        reasons[i] += named(of[i]) + " is another fabric than " + named(best->first) + ", whose " +
                      std::to_string(best->second.count) + " NIC(s) carry more";
    }
    return reasons;
}

std::vector<std::string>
judgeRate(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    if (at.request.minRateGbps) {
        return reasons;
    }
    const nearness near(at.host);
    std::vector<std::pair<double, double>> rates; // and weights
    for (const candidate &nic : nics) {
        if (!nic.isSpelledOut) {
            rates.emplace_back(rateOf(nic), near.weightOf(nic));
        }
    }
    if (rates.empty()) {
        return reasons; // the list names every NIC that is left
    }
    std::sort(rates.begin(), rates.end());
    const double fastest = rates.back().first;
    double wanted = 0;
    double most = -1;
    double weight = 0;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        const bool continues = i > 0 && isAlike(rates[i - 1].first, rates[i].first);
        weight = (continues ? weight : 0) + rates[i].second;
        if (weight >= most) {
            most = weight;
            wanted = rates[i].first;
        }
    }
    const std::string others =
        rateText(wanted) + " Gbit/s, " +
        (wanted >= fastest ? "the fastest rate present" : "the rate of the NICs that carry most");
    for (std::size_t i = 0; i < nics.size(); ++i) {
        std::vector<nicPort> fitting;
        for (const nicPort &port : nics[i].active) {
            // Cloud drivers tell no rate: what is unknown is no reason to give an interface up.
            if (isAlike(port.rateGbps, wanted) || (port.port == no_port && port.rateGbps <= 0)) {
                fitting.push_back(port);
            }
        }
        if (!fitting.empty()) {
            if (!nics[i].isSpelledOut) {
                nics[i].active = std::move(fitting);
            }
            continue;
        }
        const double rate = rateOf(nics[i]);
        reasons[i] = (rate > 0 ? rateText(rate) + " Gbit/s" : "its unknown rate") +
                     (rate < wanted ? " is below " : " is not ") + others;
    }
    return reasons;
}

std::vector<std::string>
judgeNarrowLink(const scene &at, candidates &nics) {
    double best = 0;
    for (const candidate &nic : nics) {
        best = std::max(best, carriedBy(at.host, nic));
    }
    reasons_t reasons(nics.size());
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const double carried = carriedBy(at.host, nics[i]);
        if (isInterface(nics[i]) || carried <= 0 || carried * lane_ratio >= best ||
            carried >= rateOf(nics[i])) {
            continue;
        }
        reasons[i] = "its PCIe link carries " + rateText(std::round(carried)) + " of its port's " +
                     rateText(rateOf(nics[i])) + " Gbit/s: UCX drops what is over " +
                     rateText(lane_ratio) + " times slower than the best (" +
                     rateText(std::round(best)) + ")";
    }
    return reasons;
}

} // namespace nixlStripe
