// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/usable.h"

#include "policy/fabrics.h"
#include "policy/physical_ports.h"
#include "policy/port_groups.h"
#include "policy/usable_rules.h"
#include "topology/names.h"
#include "topology/pcie_link.h"
#include "topology/text.h"

#include <algorithm>
#include <cstdio>
#include <set>

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

    /** Drops what a rule speaks against and returns it: never all where it only prefers. */
    candidates
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
            return {};
        }
        candidates dropped;
        candidates kept;
        for (std::size_t i = 0; i < nics.size(); ++i) {
            if (reasons[i].empty()) {
                kept.push_back(std::move(nics[i]));
            } else {
                result.excluded[nics[i].nic->name] = std::move(reasons[i]);
                result.excludedBy[nics[i].nic->name] = rule.id;
                dropped.push_back(std::move(nics[i]));
            }
        }
        nics = std::move(kept);
        return dropped;
    }

    /** One of @p dropped for each physical port that none of @p left has. */
    candidates
    ofOtherPorts(const candidates &dropped, const candidates &left) {
        const auto function_of = [](const candidate &each) {
            const std::string &pci = functionOf(*each.nic);
            return pci.empty() ? each.nic->name : pci;
        };
        std::set<std::string> seen;
        for (const candidate &each : left) {
            seen.insert(function_of(each));
        }
        candidates result;
        for (const candidate &each : dropped) {
            if (!isSoftware(*each.nic) && seen.insert(function_of(each)).second) {
                result.push_back(each);
            }
        }
        return result;
    }

    /** A subnet of the same kind may be storage or a plane: a host cannot tell, its user can. */
    void
    warnOfSubnets(const scene &at,
                  const candidates &dropped,
                  const candidates &left,
                  usableNics &result) {
        const auto is_like = [&](const candidate &other, const fabric &wires, double rate) {
            return std::any_of(other.active.begin(), other.active.end(), [&](const nicPort &each) {
                const fabric own = fabricOf(at.host, other, each.port);
                return own.isOfKind(wires) && !own.subnets.empty() && areAlike(each.rateGbps, rate);
            });
        };
        std::map<std::string, std::string> names;
        for (const candidate &each : dropped) {
            for (const nicPort &active : each.active) {
                const fabric wires = fabricOf(at.host, each, active.port);
                const bool is_alike =
                    !wires.subnets.empty() &&
                    std::any_of(left.begin(), left.end(), [&](const candidate &other) {
                        return is_like(other, wires, active.rateGbps);
                    });
                if (is_alike) {
                    append(names[wires.subnets], active.text());
                }
            }
        }
        for (const auto &[subnet, nics] : names) {
            result.warnings.push_back(
                "the InfiniBand subnet " + subnet + " (" + nics +
                ") is left out, whose NICs have the rate and vendor of those that are used: if it "
                "is no storage or front end, name the NICs of all subnets in `stripe`");
        }
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
            switch (reachOf(where, *chosen.nic, *at)) {
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
    scene at(host, request);
    for (const usableRule &rule : usableRules()) {
        const candidates dropped = apply(rule, at, nics, result);
        if (rule.id == "state") {
            at.down = ofOtherPorts(dropped, nics);
        } else if (rule.id == "fabric") {
            warnOfSubnets(at, dropped, nics, result);
        }
    }
    for (const candidate &each : nics) {
        choosePorts(each, result);
    }
    warnOfAddresses(at, result);
    return result;
}

void
leaveOut(usableNics &usable, const std::vector<std::string> &reasons) {
    std::vector<nicPort> kept;
    for (std::size_t i = 0; i < usable.ports.size(); ++i) {
        if (reasons.at(i).empty()) {
            kept.push_back(usable.ports[i]);
        } else {
            usable.excluded[usable.ports[i].nic->name] = reasons[i];
            usable.excludedBy[usable.ports[i].nic->name] = "policy";
        }
    }
    usable.ports = std::move(kept);
}

double
carriedGbps(const machine &host, const nicPort &at) {
    const double link = linkGbps(host, at.nic->pci);
    return link > 0 && at.rateGbps > 0 ? std::min(at.rateGbps, link) : at.rateGbps;
}

std::string
rateText(double gbps) {
    char text[32];
    std::snprintf(text, sizeof(text), "%g", gbps);
    return text;
}

} // namespace nixlStripe
