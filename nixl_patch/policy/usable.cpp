// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/usable.h"

#include "policy/ceiling.h"
#include "policy/usable_rules.h"
#include "topology/names.h"
#include "topology/text.h"

#include <algorithm>
#include <cstdio>

namespace nixlStripe {
namespace {

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

    /** Drops what a rule speaks against: never all of them where it only prefers. */
    void
    apply(const usableRule &rule, const scene &at, candidates &nics, usableNics &result) {
        std::vector<std::string> reasons = rule.judge(at, nics);
        for (std::size_t i = 0; i < nics.size(); ++i) {
            if (nics[i].isSpelledOut && rule.canBeNamed) {
                reasons[i].clear();
            }
        }
        const bool leaves_none = std::none_of(
            reasons.begin(), reasons.end(), [](const auto &reason) { return reason.empty(); });
        if (rule.kind == ruleKind_t::RANK && leaves_none) {
            return;
        }
        candidates kept;
        for (std::size_t i = 0; i < nics.size(); ++i) {
            if (reasons[i].empty()) {
                kept.push_back(std::move(nics[i]));
            } else {
                result.excluded[nics[i].nic->name] = std::move(reasons[i]);
                result.excludedBy[nics[i].nic->name] = rule.id;
            }
        }
        nics = std::move(kept);
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
                                          " is left out: port state " +
                                          std::string(portStateName(at->state)) + ", rate " +
                                          rateText(at->rateGbps) + " Gbit/s");
            }
        }
    }

    /** What is odd about addresses of the ports that stay: they work for some peers only. */
    void
    warnOfAddresses(const scene &where, usableNics &result) {
        std::vector<std::string> local;
        std::vector<std::string> foreign;
        for (const nicPort &chosen : result.ports) {
            const auto at = std::find_if(chosen.nic->ports.begin(),
                                         chosen.nic->ports.end(),
                                         [&](const port &p) { return p.number == chosen.port; });
            if (at == chosen.nic->ports.end() || at->linkLayer != linkLayer_t::ETHERNET) {
                continue;
            }
            switch (reachOf(where, *at)) {
            case reach_t::ELSEWHERE:
                foreign.push_back(chosen.text() + " (" + at->netdev + ")");
                break;
            case reach_t::LINK_LOCAL:
                local.push_back(chosen.text());
                break;
            case reach_t::ANY:
                break;
            }
        }
        if (!local.empty()) {
            result.warnings.push_back(
                joined(local) + " have link-local addresses only: peers on other subnets cannot "
                                "reach them; give their interfaces addresses");
        }
        if (!foreign.empty()) {
            result.warnings.push_back(joined(foreign) +
                                      ": the interface is in another network namespace: UCX finds "
                                      "no route there; move it into this one");
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
    const scene at(host, request);
    for (const usableRule &rule : usableRules()) {
        apply(rule, at, nics, result);
    }
    for (const candidate &each : nics) {
        choosePorts(each, result);
    }
    warnOfAddresses(at, result);
    return result;
}

double
carriedGbps(const machine &host, const nicPort &at) {
    const auto it = host.pci.find(at.nic->pci);
    const double link =
        it == host.pci.end() ? 0 : pcieGbps(it->second.linkGtps, it->second.linkWidth);
    return link > 0 && at.rateGbps > 0 ? std::min(at.rateGbps, link) : at.rateGbps;
}

std::string
rateText(double gbps) {
    char text[32];
    std::snprintf(text, sizeof(text), "%g", gbps);
    return text;
}

} // namespace nixlStripe
