// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/usable_ranks.h"

#include "policy/fabrics.h"
#include "policy/nearness.h"
#include "policy/physical_ports.h"
#include "policy/port_groups.h"
#include "topology/text.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace nixlStripe {
namespace {

    using reasons_t = std::vector<std::string>;

    double
    carriedBy(const machine &host, const candidate &nic) {
        double best = 0;
        for (const nicPort &at : nic.active) {
            best = std::max(best, carriedGbps(host, at));
        }
        return best;
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

    /** All NICs of the machine on some kind of network, of one vendor: those that are down too. */
    std::vector<const rdmaNic *>
    nicsOf(const machine &host, const fabric &wires) {
        std::vector<const rdmaNic *> found;
        for (const rdmaNic &nic : host.nics) {
            candidate all{&nic, {}, {}, true, false, {}};
            for (const port &at : nic.ports) {
                all.asked.push_back(&at);
            }
            const bool is_there =
                std::any_of(nic.ports.begin(), nic.ports.end(), [&](const port &at) {
                    return fabricOf(host, all, at.number).isOfKind(wires);
                });
            if (is_there) {
                found.push_back(&nic);
            }
        }
        return found;
    }

    /** Leaves of the ports of @p nic those that @p fits; whether there are any. */
    template <class Fits>
    bool
    keepPorts(candidate &nic, Fits fits) {
        std::vector<nicPort> kept;
        std::copy_if(nic.active.begin(), nic.active.end(), std::back_inserter(kept), fits);
        if (kept.empty()) {
            return false;
        }
        if (!nic.isSpelledOut) {
            nic.active = std::move(kept);
        }
        return true;
    }

    /** Leaves of the ports of @p nic those that peers reach best. */
    void
    keepReachable(const scene &at, candidate &nic) {
        const reach_t best = reachOf(at, nic);
        const candidate all = nic;
        keepPorts(nic, [&](const nicPort &active) {
            candidate alone = all;
            alone.active = {active};
            return reachOf(at, alone) == best;
        });
    }

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
        } else {
            keepReachable(at, nics[i]);
        }
    }
    return reasons;
}

std::vector<std::string>
judgeMember(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const rdmaNic &nic = *nics[i].nic;
        if (!nic.bondMaster.empty() && bondOfDevice(nic).empty() &&
            reachOf(at, nics[i]) == reach_t::LINK_LOCAL) {
            reasons[i] = "part of the bond " + nic.bondMaster + ", and has no address of its own";
        }
    }
    return reasons;
}

std::vector<std::string>
judgeBond(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    const portGroups groups(at, nics);
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const portGroup *own = groups.of(i);
        if (own == nullptr || !own->isBonded || groups.best().isBonded) {
            continue;
        }
        reasons[i] = "part of the bond " + nics[i].nic->bondMaster +
                     ", which spreads traffic by itself, and " +
                     whichNics(groups.best(), " without one") + " " +
                     whyBetter(groups.best(), *own) + " (a list that names the NIC overrides this)";
    }
    return reasons;
}

std::vector<std::string>
judgePlain(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    const portGroups groups(at, nics);
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const portGroup *own = groups.of(i);
        if (own == nullptr || own->isBonded || !groups.best().isBonded) {
            continue;
        }
        const portGroup &best = groups.best();
        if (own->wires == best.wires && areAlike(own->rateGbps, best.rateGbps)) {
            reasons[i] = "it is in no bond, and the bonds of " + whichNics(best) + " " +
                         whyBetter(best, *own);
        }
    }
    return reasons;
}

std::vector<std::string>
judgeFabric(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    const portGroups groups(at, nics);
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const portGroup *own = groups.of(i);
        if (own == nullptr || keepPorts(nics[i], [&](const nicPort &each) {
                return groups.isOnFabric(i, each.port);
            })) {
            continue;
        }
        const portGroup &best = groups.best();
        const double rate = rateOf(nics[i]);
        if (rate > 0 && rate < best.rateGbps) {
            reasons[i] =
                rateText(rate) + " Gbit/s is below " + rateText(best.rateGbps) + " Gbit/s, and ";
        }
        reasons[i] += own->name + " is another fabric than " + best.name + ", whose " +
                      whichNics(best) + " " + whyBetter(best, *own);
    }
    return reasons;
}

std::vector<std::string>
judgeRate(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    const portGroups groups(at, nics);
    if (at.request.minRateGbps || groups.isEmpty()) {
        return reasons; // or the list names every NIC that is left
    }
    const double wanted = groups.best().rateGbps;
    double fastest = 0;
    for (const candidate &nic : nics) {
        fastest = nic.isSpelledOut ? fastest : std::max(fastest, rateOf(nic));
    }
    for (std::size_t i = 0; i < nics.size(); ++i) {
        // Cloud drivers tell no rate: what is unknown is no reason to give an interface up.
        const bool fits = keepPorts(nics[i], [&](const nicPort &each) {
            return areAlike(each.rateGbps, wanted) || (each.port == no_port && each.rateGbps <= 0);
        });
        if (fits) {
            continue;
        }
        const portGroup *own = groups.of(i);
        const double rate = rateOf(nics[i]);
        const std::string others =
            wanted >= fastest
                ? "the fastest rate present"
                : "the rate of the NICs that " +
                      (own == nullptr ? "carry more" : whyBetter(groups.best(), *own));
        reasons[i] = (rate > 0 ? rateText(rate) + " Gbit/s" : "its unknown rate") +
                     (rate < wanted ? " is below " : " is not ") + rateText(wanted) + " Gbit/s, " +
                     others + (rate > wanted ? ", which may have come up slow" : "");
    }
    return reasons;
}

std::vector<std::string>
judgeAside(const scene &at, candidates &nics) {
    reasons_t reasons(nics.size());
    const portGroups groups(at, nics);
    if (groups.isEmpty() || isInterface(nics.front())) {
        return reasons; // interfaces have routes, whatever they are for
    }
    constexpr std::size_t fewest = 4; // below, all that is there may well be meant
    constexpr std::size_t far_more = 2;
    const portGroup &best = groups.best();
    const nearness near(at.host);
    const std::size_t aside = std::max<std::size_t>(1, best.count - best.nearby);
    const bool are_computes = best.nearby >= fewest && best.nearby >= far_more * aside;
    if (!are_computes || !near.areAllServed(nicsOf(at.host, best.wires))) {
        return reasons;
    }
    // Who gives a minimum rate asks for slower NICs as well, but not for storage of the same rate.
    const auto is_like_near = [&](const candidate &aside_one) {
        return std::any_of(nics.begin(), nics.end(), [&](const candidate &other) {
            return near.isNear(*other.nic) && areAlike(rateOf(other), rateOf(aside_one));
        });
    };
    for (std::size_t i = 0; i < nics.size(); ++i) {
        if (!near.isNear(*nics[i].nic) && is_like_near(nics[i])) {
            reasons[i] = "near no GPU, and each GPU has NICs of its own, " +
                         std::to_string(best.nearby) +
                         " together: storage or a front end (a list that names the NIC overrides "
                         "this)";
        }
    }
    return reasons;
}

std::vector<std::string>
judgeLinkLocal(const scene &at, candidates &nics) {
    std::vector<reach_t> reaches;
    for (const candidate &nic : nics) {
        reaches.push_back(reachOf(at, nic));
    }
    const auto reachable = std::count(reaches.begin(), reaches.end(), reach_t::ANY);
    const auto local = std::count(reaches.begin(), reaches.end(), reach_t::LINK_LOCAL);
    reasons_t reasons(nics.size());
    for (std::size_t i = 0; i < nics.size(); ++i) {
        if (reachable > local && reaches[i] == reach_t::LINK_LOCAL) {
            reasons[i] = "its interface" + interfacesOf(nics[i]) +
                         " has a link-local address only, and " + std::to_string(reachable) +
                         " NIC(s) have addresses that peers can route to";
        }
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
