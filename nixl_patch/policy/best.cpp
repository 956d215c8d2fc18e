// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/best.h"

#include "policy/fair.h"
#include "policy/link_model.h"
#include "policy/max_flow.h"
#include "policy/measured_best.h"
#include "policy/rails.h"
#include "topology/distance.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    using set_t = std::vector<std::size_t>; /**< places in the order of preference */

    /** NICs that a search looks at: the preferred ones, twice what UCX has lanes for. */
    constexpr std::size_t max_considered = 2 * std::size_t(max_rails);

    /** Rates that differ by less than this part are the same. */
    constexpr double same = 1e-3;

    /** Whether a set may hold NICs that need no host bridge, NICs that do, or both. */
    enum class kind_t { NEAR, PEER, MIXED };

    /** Nearer first, then those of the GPU's own share, then as the machine has them. */
    std::vector<std::size_t>
    preference(const machine &host, const gpu *target, const std::vector<nicPort> &ports) {
        std::vector<std::size_t> order(ports.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            order[i] = i;
        }
        if (target == nullptr) {
            return order;
        }
        std::vector<affinity> ways;
        for (const nicPort &at : ports) {
            ways.push_back(affinityBetween(host, *target, *at.nic));
        }
        std::set<std::size_t> own;
        const nicShares shares = dealNics(host, ports);
        if (const auto share = shares.find(target->pci); share != shares.end()) {
            own.insert(share->second.begin(), share->second.end());
        }
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const bool is_nearer = isNearer(ways[a], ways[b]);
            return is_nearer || isNearer(ways[b], ways[a]) ? is_nearer
                                                           : own.count(a) > own.count(b);
        });
        return order;
    }

    /** Finds the set of a model that carries most; its NICs are in the order of preference. */
    class bestSet {
    public:
        /**
         * @param is_wide Of sets that carry the same the one that needs a host bridge for the
         * fewest NICs, then that of most NICs, not of fewest.
         */
        bestSet(const linkModel &model, bool is_wide)
            : model_(model)
            , is_wide_(is_wide) {}

        /** @return Nothing where no rate is known. */
        set_t
        find() {
            std::vector<set_t> found;
            for (const double part : parts()) {
                for (const kind_t kind : {kind_t::NEAR, kind_t::PEER, kind_t::MIXED}) {
                    found.push_back(mostAt(part, kind));
                }
            }
            double most = 0;
            for (const set_t &each : found) {
                most = std::max(most, model_.evenRate(each));
            }
            const set_t *chosen = nullptr;
            for (const set_t &each : found) {
                const bool is_good = !each.empty() && model_.evenRate(each) >= most * (1 - same);
                if (is_good && (chosen == nullptr || isPreferred(each, *chosen))) {
                    chosen = &each;
                }
            }
            return chosen == nullptr ? set_t() : improved(*chosen);
        }

    private:
        /**
         * Every part of their weights at which some link could be full. On a tree of links, NICs of
         * one weight that fit below a part are the independent sets of a laminar matroid: taking
         * them one by one takes as many as there can be.
         */
        std::set<double>
        parts() const {
            std::vector<set_t> users(model_.rates().size());
            std::set<double> result;
            for (std::size_t nic = 0; nic < model_.nics().size(); ++nic) {
                for (const std::size_t each : model_.nics()[nic].links) {
                    users[each].push_back(nic);
                }
            }
            result.insert({1, model_.besideNear()});
            for (std::size_t each = 0; each < users.size(); ++each) {
                std::set<double> weights;
                for (const std::size_t nic : users[each]) {
                    weights.insert(model_.weightOf(nic));
                }
                const std::size_t count = std::min<std::size_t>(users[each].size(), max_rails);
                for (const double weight : weights) {
                    for (std::size_t k = 1; k <= count; ++k) {
                        add(result, model_.rates()[each] / (static_cast<double>(k) * weight));
                    }
                }
            }
            return result;
        }

        static void
        add(std::set<double> &parts, double part) {
            if (std::isfinite(part)) {
                parts.insert(part);
            }
        }

        /** As many NICs as each carry that part of their weight; at most as UCX has lanes. */
        set_t
        mostAt(double part, kind_t kind) const {
            std::vector<double> loads(model_.rates().size());
            set_t taken;
            for (std::size_t nic = 0; nic < model_.nics().size() && taken.size() < max_rails;
                 ++nic) {
                const modelledNic &each = model_.nics()[nic];
                const double load = part * model_.weightOf(nic);
                const bool is_allowed = kind == kind_t::MIXED
                                            ? fits(part, model_.besideNear())
                                            : each.isPeer == (kind == kind_t::PEER);
                const bool has_room =
                    std::all_of(each.links.begin(), each.links.end(), [&](std::size_t link) {
                        return fits(loads[link] + load, model_.rates()[link]);
                    });
                if (is_allowed && has_room) {
                    for (const std::size_t link : each.links) {
                        loads[link] += load;
                    }
                    taken.push_back(nic);
                }
            }
            return taken;
        }

        static bool
        fits(double load, double rate) {
            constexpr double rounding = 1 + 1e-9;
            return load <= rate * rounding;
        }

        std::size_t
        peersOf(const set_t &set) const {
            return static_cast<std::size_t>(
                std::count_if(set.begin(), set.end(), [&](std::size_t nic) {
                    return model_.nics()[nic].isPeer;
                }));
        }

        bool
        isPreferred(const set_t &a, const set_t &b) const {
            const std::size_t peers_a = peersOf(a);
            const std::size_t peers_b = peersOf(b);
            if (is_wide_ && peers_a != peers_b) {
                return peers_a < peers_b;
            }
            if (a.size() != b.size()) {
                return (a.size() < b.size()) != is_wide_;
            }
            return peers_a != peers_b ? peers_a < peers_b : a < b;
        }

        /** Adds and drops single NICs as long as that carries more. */
        set_t
        improved(set_t set) const {
            while (true) {
                double most = model_.evenRate(set) * (1 + same);
                set_t better;
                for (std::size_t nic = 0; nic < model_.nics().size(); ++nic) {
                    set_t other = set;
                    const auto at = std::lower_bound(other.begin(), other.end(), nic);
                    if (at != other.end() && *at == nic) {
                        other.erase(at);
                    } else {
                        other.insert(at, nic);
                    }
                    const double rate = model_.evenRate(other);
                    if (other.size() <= max_rails && rate > most) {
                        most = rate;
                        better = std::move(other);
                    }
                }
                if (better.empty()) {
                    return set;
                }
                set = std::move(better);
            }
        }

        const linkModel &model_;
        const bool is_wide_;
    };

    std::string
    rounded(double gbps) {
        return rateText(gbps < 10 ? gbps : std::round(gbps));
    }

    /** Why a NIC is not in the set, with what the set would carry with it. */
    std::string
    whyNot(const linkModel &model, const set_t &set, std::size_t nic, const std::string &where) {
        set_t with = set;
        with.push_back(nic);
        const double now = model.evenRate(set);
        const double then = model.evenRate(with);
        const std::string rest = "the set carries " + rounded(now) + " Gbit/s without it";
        return then < now * (1 - same) ? where + rest + " and " + rounded(then) + " with it"
                                       : where + rest + ", no less than with it";
    }

    std::string
    placeText(const machine &host, const gpu *target, const rdmaNic &nic) {
        return target == nullptr
                   ? "host memory: "
                   : std::string(distanceName(affinityBetween(host, *target, nic).distance)) +
                         " from GPU " + target->pci + ": ";
    }

    /** The calibration that was given, where it is of this machine. */
    const calibration *
    holdingCalibration(const policyScene &scene, usableNics &usable) {
        if (scene.measured == nullptr) {
            return nullptr;
        }
        const std::string reason = whyNotOf(*scene.measured, scene.host, usable.ports);
        if (reason.empty()) {
            return scene.measured;
        }
        usable.warnings.push_back("calibration " + scene.measured->source +
                                  " is not of this machine as it is now and not used: " + reason +
                                  "; `nixl-stripe tune` measures again");
        return nullptr;
    }

} // namespace

void
keepBest(const policyScene &scene, usableNics &usable) {
    const machine &host = scene.host;
    const gpu *target = scene.target;
    if (target == nullptr && !host.gpus.empty() && !usable.ports.empty()) {
        usable.warnings.push_back("no GPU is known: 'best' takes what carries most from host "
                                  "memory; name the GPU whose memory is transferred");
    }
    const calibration *measured = holdingCalibration(scene, usable);
    usable.areMeasured = measured != nullptr;
    if (measured != nullptr &&
        keepMeasuredBest(*measured, target == nullptr ? "" : target->pci, usable)) {
        return;
    }
    const std::vector<std::size_t> order = preference(host, target, usable.ports);
    linkModel model(host, target == nullptr ? nullptr : &target->pci);
    bool are_rates_known = true;
    for (std::size_t i = 0; i < std::min(order.size(), max_considered); ++i) {
        const nicPort &at = usable.ports[order[i]];
        const double alone = measuredAlone(measured, at);
        are_rates_known = are_rates_known && (at.rateGbps > 0 || alone > 0);
        model.add(at, alone);
    }
    // What one whose rate nobody tells can carry is only bounded by its links: it may need others.
    const set_t set = bestSet(model, !are_rates_known).find();
    if (set.empty() || model.evenRate(set) == flowNetwork::unlimited) {
        return;
    }
    for (std::size_t i = max_considered; i < order.size(); ++i) {
        // to tell why they are left out
        model.add(usable.ports[order[i]], measuredAlone(measured, usable.ports[order[i]]));
    }
    std::vector<std::string> reasons(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string where = placeText(host, target, *usable.ports[order[i]].nic);
        reasons[order[i]] =
            std::binary_search(set.begin(), set.end(), i) ? "" : whyNot(model, set, i, where);
    }
    leaveOut(usable, reasons);
}

} // namespace nixlStripe
