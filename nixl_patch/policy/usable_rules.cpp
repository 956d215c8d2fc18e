// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/usable_rules.h"

#include "policy/physical_ports.h"
#include "policy/usable_ranks.h"
#include "topology/names.h"
#include "topology/sysfs_text.h"
#include "topology/text.h"

#include <algorithm>
#include <array>

namespace nixlStripe {
namespace {

    using reasons_t = std::vector<std::string>;

    struct namedKind {
        std::string_view stem; /**< digits follow: "usnic_0", "iwp65s0" */
        std::string_view kind; /**< as the kernel would say it */
    };

    /** What kernel and rdma-core call such devices, for sources without the kernel's node type. */
    constexpr std::array<namedKind, 7> named_kinds = {{{"usnic_", "usNIC UDP"},
                                                       {"cxgb4_", "RNIC"},
                                                       {"erdma_", "RNIC"},
                                                       {"i40iw", "RNIC"},
                                                       {"iwP", "RNIC"},
                                                       {"iwp", "RNIC"},
                                                       {"siw", "RNIC"}}};

    std::string_view
    kindByName(std::string_view name) {
        for (const namedKind &each : named_kinds) {
            if (name.size() > each.stem.size() && name.substr(0, each.stem.size()) == each.stem &&
                name[each.stem.size()] >= '0' && name[each.stem.size()] <= '9') {
                return each.kind;
            }
        }
        return "";
    }

    template <class Judge>
    reasons_t
    each(candidates &nics, Judge why_not) {
        reasons_t reasons;
        for (candidate &nic : nics) {
            reasons.push_back(why_not(nic));
        }
        return reasons;
    }

    reasons_t
    judgeList(const scene &at, candidates &nics) {
        const ncclList *list = at.request.list;
        return each(nics, [&](const candidate &nic) -> std::string {
            if (!list || !nic.asked.empty() || nic.nic->ports.empty()) {
                return "";
            }
            return (list->exclude ? "excluded by " : "not in ") + quoted(list->text());
        });
    }

    /** The kernel's own words are "4: RNIC", "5: usNIC", "6: usNIC UDP". */
    reasons_t
    judgeTransport(const scene &, candidates &nics) {
        return each(nics, [](const candidate &nic) -> std::string {
            const std::string &told = nic.nic->nodeType;
            const std::string &driver = nic.nic->driver;
            const std::string_view type = told.empty() ? kindByName(nic.nic->name) : told;
            if (type.find("usNIC") != std::string_view::npos) {
                return "it is usNIC, which UCX cannot use";
            }
            if (type.find("RNIC") != std::string_view::npos) {
                return "it speaks iWARP" + (driver.empty() ? "" : " (driver " + driver + ")") +
                       ", which UCX cannot use";
            }
            return "";
        });
    }

    reasons_t
    judgeVerbs(const scene &, candidates &nics) {
        return each(nics, [](const candidate &nic) -> std::string {
            const std::string node =
                nic.nic->uverbs.empty() ? "its verbs device" : "/dev/infiniband/" + nic.nic->uverbs;
            switch (nic.nic->access) {
            case access_t::NO_NODE:
                return node + " is not there (not mapped into this container?)";
            case access_t::DENIED:
                return node + " may not be opened by this process";
            case access_t::UNKNOWN:
            case access_t::YES:
                break;
            }
            return "";
        });
    }

    reasons_t
    judgeInterface(const scene &at, candidates &nics) {
        return each(nics, [&](const candidate &nic) -> std::string {
            if (!at.request.refused) {
                return "";
            }
            const auto it = at.request.refused->find(nic.nic->name);
            const bool is_refused =
                it != at.request.refused->end() && !(it->second.canBeNamed && nic.isSpelledOut);
            return is_refused ? it->second.text : "";
        });
    }

    bool
    isActive(const port &at) {
        return at.state == portState_t::ACTIVE || at.state == portState_t::UNKNOWN;
    }

    std::string
    whyNotActive(candidate &nic) {
        std::string states;
        for (const port *at : nic.asked) {
            if (isActive(*at)) {
                nic.active.push_back({nic.nic, at->number, at->rateGbps});
            }
            // "Polling" looks for a cable or the other end, "Disabled" waits for `ip link set up`.
            const bool is_told = !at->physicalState.empty() && at->physicalState != "LinkUp";
            append(states,
                   "port " + std::to_string(at->number) + " is " +
                       std::string(portStateName(at->state)) +
                       (is_told ? " (" + at->physicalState + ")" : ""));
        }
        if (!nic.active.empty()) {
            return "";
        }
        return states.empty() ? "it has no port" : states + ", not ACTIVE";
    }

    reasons_t
    judgeState(const scene &, candidates &nics) {
        return each(nics, whyNotActive);
    }

    /** RoCE without an address: what a container sees in a network namespace of its own. */
    reasons_t
    judgeAddress(const scene &, candidates &nics) {
        return each(nics, [](candidate &nic) -> std::string {
            std::vector<nicPort> kept;
            for (const nicPort &active : nic.active) {
                const auto at =
                    std::find_if(nic.nic->ports.begin(), nic.nic->ports.end(), [&](const port &p) {
                        return p.number == active.port;
                    });
                const bool is_empty = at != nic.nic->ports.end() &&
                                      at->linkLayer == linkLayer_t::ETHERNET && at->areGidsKnown &&
                                      !at->hasGid;
                if (!is_empty) {
                    kept.push_back(active);
                }
            }
            if (kept.empty()) {
                return "RoCE, and its GID table is all zeros: no address in this network namespace";
            }
            nic.active = std::move(kept);
            return "";
        });
    }

    reasons_t
    judgeMinRate(const scene &at, candidates &nics) {
        return each(nics, [&](candidate &nic) -> std::string {
            if (!at.request.minRateGbps) {
                return "";
            }
            double best = 0;
            std::vector<nicPort> quick;
            for (const nicPort &active : nic.active) {
                best = std::max(best, active.rateGbps);
                if (active.rateGbps >= *at.request.minRateGbps * (1 - rate_tolerance)) {
                    quick.push_back(active);
                }
            }
            if (quick.empty()) {
                return (best > 0 ? rateText(best) + " Gbit/s" : "its unknown rate") + " is below " +
                       at.request.minRateKey + "=" + rateText(*at.request.minRateGbps);
            }
            nic.active = std::move(quick);
            return "";
        });
    }

} // namespace

const std::vector<usableRule> &
usableRules() {
    constexpr auto exclude = ruleKind_t::EXCLUDE;
    constexpr auto rank = ruleKind_t::RANK;
    static const auto &table = *new std::vector<usableRule>{
        {"list", exclude, false, "a list in `stripe` that leaves it out", "", judgeList},
        {"transport", exclude, false, "iWARP or usNIC, which UCX cannot use", "", judgeTransport},
        {"verbs",
         exclude,
         false,
         "its verbs device is missing or may not be opened",
         "give this process the device node (check verbs-nodes)",
         judgeVerbs},
        {"interface",
         exclude,
         false,
         "TCP only: an interface that is down, has no address or is no NIC",
         "bring the interface up and give it an address",
         judgeInterface},
        {"state",
         exclude,
         false,
         "no port is ACTIVE",
         "bring the link up: `ip link set dev INTERFACE up` (RoCE) or a subnet manager "
         "(InfiniBand), then cable and switch",
         judgeState},
        {"address",
         exclude,
         false,
         "RoCE with a GID table of zeros",
         "move the NIC's interface into this network namespace and give it an address",
         judgeAddress},
        {"min-rate",
         exclude,
         false,
         "a port rate below stripe_min_rate_gbps",
         "use slower NICs as well with stripe_min_rate_gbps=0",
         judgeMinRate},
        {"namespace",
         rank,
         true,
         "RoCE whose interface is in another network namespace",
         "move the NIC's interface into this network namespace",
         judgeNamespace},
        {"bond-member",
         rank,
         true,
         "a member of a bond that has no address of its own",
         "name the NIC that has the bond's address in `stripe`, or take the interface out of its "
         "bond and give it an address",
         judgeMember},
        {"shared-port",
         rank,
         true,
         "another device of the same physical port is there",
         "name the device in `stripe` if it is to be used as well",
         judgeSharedPort},
        {"bond",
         rank,
         true,
         "a bond, or a member of one, where NICs without a bond carry as much together",
         "take the interface out of its bond, or name the NIC in `stripe`",
         judgeBond},
        {"no-bond",
         rank,
         true,
         "a NIC without a bond where bonds of its fabric and rate carry more together",
         "name the NIC in `stripe` if it is to be used as well",
         judgePlain},
        {"fabric",
         rank,
         true,
         "another kind of network (InfiniBand, Omni-Path, Ethernet, EFA), vendor or InfiniBand "
         "subnet carries more here",
         "name the NICs of the other fabric in `stripe`",
         judgeFabric},
        {"rate",
         rank,
         true,
         "another port rate than that of the NICs that carry most",
         "use slower NICs as well with stripe_min_rate_gbps=0; where they should be as fast, check "
         "cable, transceiver and switch port",
         judgeRate},
        {"aside",
         rank,
         true,
         "near no GPU, where each GPU has NICs of the same fabric near it",
         "name the NIC in `stripe` if it is of no storage and no front end",
         judgeAside},
        {"link-local",
         rank,
         true,
         "RoCE with link-local addresses only, where more NICs have others",
         "give the NIC's interface an address that peers can route to",
         judgeLinkLocal},
        {"narrow-link",
         rank,
         true,
         "a PCIe link so narrow that UCX would leave the NIC out",
         "check the slot and the link's state (LnkSta of `lspci -vv`)",
         judgeNarrowLink},
    };
    return table;
}

scene::scene(const machine &read, const usableRequest &asked)
    : host(read)
    , request(asked)
    , interfaces(read.netInterfaces) {}

reach_t
reachOf(const scene &where, const rdmaNic &nic, const port &at) {
    if (at.linkLayer != linkLayer_t::ETHERNET || at.gids.empty()) {
        return reach_t::ANY;
    }
    reach_t best = reach_t::ELSEWHERE;
    for (std::size_t i = 0; i < at.gids.size(); ++i) {
        const std::string &netdev = i < at.gidNetdevs.size() ? at.gidNetdevs[i] : at.netdev;
        const bool is_here = netdev.empty() || where.interfaces.isOf(nic, at, netdev);
        if (is_here) {
            best = std::max(best, isLinkLocal(at.gids[i]) ? reach_t::LINK_LOCAL : reach_t::ANY);
        }
    }
    return best;
}

reach_t
reachOf(const scene &where, const candidate &nic) {
    reach_t best = reach_t::ELSEWHERE;
    for (const port *at : nic.asked) {
        const bool is_left =
            std::any_of(nic.active.begin(), nic.active.end(), [&](const nicPort &active) {
                return active.port == at->number;
            });
        best = is_left ? std::max(best, reachOf(where, *nic.nic, *at)) : best;
    }
    return best;
}

} // namespace nixlStripe
