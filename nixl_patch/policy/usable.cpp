// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/usable.h"

#include "topology/names.h"
#include "topology/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>

namespace nixlStripe {
namespace {

    /** Drivers of iWARP adapters: verbs devices with Ethernet ports that UCX cannot use. */
    constexpr std::array<std::string_view, 4> iwarp_drivers = {"siw", "cxgb4", "iw_cxgb4", "i40iw"};

    /** Two decimal spellings of one rate differ by less than this part of it. */
    constexpr double rate_tolerance = 1e-3;

    /** A NIC on its way through the rules. */
    struct candidate {
        const rdmaNic *nic;
        std::vector<const port *> asked; /**< ports that the user's list leaves, ascending */
        std::set<unsigned> named;        /**< ports that the list gives for this NIC */
        bool wantsAny = true;            /**< asked for without a port: one of them will do */
        bool isSpelledOut = false;       /**< the list says this very name */
        std::vector<nicPort> active;     /**< those of `asked` that are ACTIVE */
    };

    using candidates = std::vector<candidate>;

    /** Drops the NICs that @p why_not has a reason for. */
    template <class Rule>
    void
    drop(candidates &nics, std::map<std::string, std::string> &excluded, Rule why_not) {
        candidates kept;
        for (candidate &each : nics) {
            if (std::optional<std::string> reason = why_not(each)) {
                excluded[each.nic->name] = std::move(*reason);
            } else {
                kept.push_back(std::move(each));
            }
        }
        nics = std::move(kept);
    }

    candidate
    ask(const rdmaNic &nic, const ncclList *list) {
        candidate result{&nic, {}, {}, true, false, {}};
        for (const port &at : nic.ports) {
            if (!list || list->matches(nic.name, at.number) != list->exclude) {
                result.asked.push_back(&at);
            }
        }
        if (!list || list->exclude) {
            return result;
        }
        result.isSpelledOut = list->spellsOut(nic.name);
        result.wantsAny = false;
        for (const deviceSpec &entry : list->entries) {
            if (!list->matchesName(entry, nic.name)) {
                continue;
            }
            if (entry.port) {
                result.named.insert(*entry.port);
            } else {
                result.wantsAny = true;
            }
        }
        return result;
    }

    std::optional<std::string>
    whyNotAsked(const candidate &each, const ncclList *list) {
        if (!list || !each.asked.empty() || each.nic->ports.empty()) {
            return std::nullopt;
        }
        return (list->exclude ? "excluded by " : "not in ") + quoted(list->text());
    }

    std::optional<std::string>
    whyImpossible(const rdmaNic &nic) {
        if (std::find(iwarp_drivers.begin(), iwarp_drivers.end(), nic.driver) !=
            iwarp_drivers.end()) {
            return "driver " + nic.driver + " is iWARP, which UCX cannot use";
        }
        const std::string node =
            nic.uverbs.empty() ? "its verbs device" : "/dev/infiniband/" + nic.uverbs;
        if (nic.access == access_t::NO_NODE) {
            return node + " is not there (not mapped into this container?)";
        }
        if (nic.access == access_t::DENIED) {
            return node + " may not be opened by this process";
        }
        return std::nullopt;
    }

    std::optional<std::string>
    whyRefused(const candidate &each, const refusals_t *refused) {
        if (!refused) {
            return std::nullopt;
        }
        const auto it = refused->find(each.nic->name);
        if (it == refused->end() || (it->second.canBeNamed && each.isSpelledOut)) {
            return std::nullopt;
        }
        return it->second.text;
    }

    bool
    isActive(const port &at) {
        return at.state == portState_t::ACTIVE || at.state == portState_t::UNKNOWN;
    }

    std::optional<std::string>
    whyNotActive(candidate &each) {
        std::string states;
        for (const port *at : each.asked) {
            if (isActive(*at)) {
                each.active.push_back({each.nic, at->number, at->rateGbps});
            }
            append(states,
                   "port " + std::to_string(at->number) + " is " +
                       std::string(portStateName(at->state)));
        }
        if (!each.active.empty()) {
            return std::nullopt;
        }
        return states.empty() ? "it has no port" : states + ", not ACTIVE";
    }

    std::optional<std::string>
    whyBonded(const candidate &each) {
        if (each.nic->bondMaster.empty() || each.isSpelledOut) {
            return std::nullopt;
        }
        return "part of the bond " + each.nic->bondMaster +
               ", which spreads traffic by itself (a list that names the NIC overrides this)";
    }

    /** NICs by the PCI function that they are (or that a virtual one belongs to); the first wins.
     */
    using owners_t = std::map<std::string_view, const rdmaNic *>;

    /** @p present are the NICs in question, @p kept the virtual ones that stay and come before. */
    std::optional<std::string>
    whyVirtual(const candidate &each, const owners_t &present, owners_t &kept) {
        const std::string &physical = each.nic->physicalFunction;
        if (physical.empty()) {
            return std::nullopt;
        }
        if (each.isSpelledOut) {
            kept.emplace(physical, each.nic);
            return std::nullopt;
        }
        if (const auto whole = present.find(physical); whole != present.end()) {
            return "virtual function of " + whole->second->name + ", which is there itself";
        }
        if (const auto [other, is_first] = kept.emplace(physical, each.nic); !is_first) {
            return "shares the physical port of " + other->second->name +
                   ": both are virtual functions of " + physical;
        }
        return std::nullopt;
    }

    double
    fastestRate(const candidates &nics) {
        double fastest = 0;
        for (const candidate &each : nics) {
            for (const nicPort &at : each.active) {
                fastest = each.isSpelledOut ? fastest : std::max(fastest, at.rateGbps);
            }
        }
        return fastest;
    }

    /** Leaves the ports that are fast enough; a reason when there is none. */
    std::optional<std::string>
    whySlow(candidate &each, const usableRequest &request, double fastest) {
        if (!request.minRateGbps && each.isSpelledOut) {
            return std::nullopt;
        }
        const double threshold = request.minRateGbps.value_or(fastest);
        std::vector<nicPort> quick;
        double best = 0;
        for (const nicPort &at : each.active) {
            best = std::max(best, at.rateGbps);
            // Cloud drivers tell no rate: what is unknown is no reason to give a NIC up.
            const bool is_open = at.port == no_port && at.rateGbps <= 0 && !request.minRateGbps;
            if (is_open || at.rateGbps >= threshold * (1 - rate_tolerance)) {
                quick.push_back(at);
            }
        }
        if (quick.empty()) {
            const std::string has = best > 0 ? rateText(best) + " Gbit/s" : "its unknown rate";
            return has + " is below " +
                   (request.minRateGbps
                        ? request.minRateKey + "=" + rateText(threshold)
                        : rateText(threshold) + " Gbit/s, the fastest rate present");
        }
        each.active = std::move(quick);
        return std::nullopt;
    }

    void
    choosePorts(const candidate &each, usableNics &result) {
        bool wants_any = each.wantsAny;
        for (const nicPort &at : each.active) {
            if (wants_any || each.named.count(at.port) > 0) {
                result.ports.push_back(at);
                wants_any = false;
            }
        }
        for (const port *at : each.asked) {
            const bool stayed =
                std::any_of(each.active.begin(), each.active.end(), [&](const nicPort &chosen) {
                    return chosen.port == at->number;
                });
            if (each.named.count(at->number) > 0 && !stayed) {
                result.warnings.push_back(nicPort{each.nic, at->number, 0}.text() +
                                          " is left out: port state " + portStateName(at->state) +
                                          ", rate " + rateText(at->rateGbps) + " Gbit/s");
            }
        }
    }

} // namespace

std::string
nicPort::text() const {
    return port == no_port ? nic->name : nic->name + ":" + std::to_string(port);
}

usableNics
findUsable(const machine &host, const usableRequest &request) {
    usableNics result;
    candidates nics;
    for (const rdmaNic &nic : host.nics) {
        nics.push_back(ask(nic, request.list));
    }
    drop(nics, result.excluded, [&](candidate &each) { return whyNotAsked(each, request.list); });
    drop(nics, result.excluded, [](candidate &each) { return whyImpossible(*each.nic); });
    drop(nics, result.excluded, [&](candidate &each) { return whyRefused(each, request.refused); });
    drop(nics, result.excluded, [](candidate &each) { return whyNotActive(each); });
    drop(nics, result.excluded, [](candidate &each) { return whyBonded(each); });
    owners_t present;
    owners_t kept;
    for (const candidate &each : nics) {
        present.emplace(each.nic->pci, each.nic);
    }
    drop(nics, result.excluded, [&](candidate &each) { return whyVirtual(each, present, kept); });
    const double fastest = fastestRate(nics);
    drop(nics, result.excluded, [&](candidate &each) { return whySlow(each, request, fastest); });
    for (const candidate &each : nics) {
        choosePorts(each, result);
    }
    return result;
}

std::string
rateText(double gbps) {
    char text[32];
    std::snprintf(text, sizeof(text), "%g", gbps);
    return text;
}

} // namespace nixlStripe
