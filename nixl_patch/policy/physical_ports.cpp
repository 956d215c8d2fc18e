// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/physical_ports.h"

#include "policy/fabrics.h"
#include "topology/pci_address.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace nixlStripe {
namespace {

    using reasons_t = std::vector<std::string>;

    /** Scalable functions have the address of the function that they are of. */
    bool
    isScalable(const rdmaNic &nic) {
        return !nic.pci.empty() && nic.physicalFunction == nic.pci;
    }

    /** LAG devices that are among some NICs, by what they answer for. */
    class lagDevices {
    public:
        lagDevices(const machine &host, const candidates &nics) {
            for (const rdmaNic &nic : host.nics) {
                if (nic.physicalFunction.empty() && !isSoftware(nic)) {
                    with_device_.insert(nic.pci);
                }
            }
            for (const candidate &each : nics) {
                addDevice(*each.nic);
            }
            for (const netInterface &member : host.netInterfaces) {
                const auto bond = bonds_.find(member.master);
                if (bond != bonds_.end() && !member.pci.empty()) {
                    functions_.emplace(member.pci, bond->second);
                }
            }
        }

        /** The LAG device that stands for the port of @p nic, which may be itself; or nullptr. */
        const rdmaNic *
        of(const rdmaNic &nic) const {
            if (const rdmaNic *bond = find(bonds_, nic.bondMaster)) {
                return bond;
            }
            const std::string &function = functionOf(nic);
            if (const rdmaNic *known = find(functions_, function)) {
                return known;
            }
            // In a pod the members' interfaces cannot be seen: of one card's functions the LAG
            // leaves one with a device.
            const bool has_device = with_device_.count(function) > 0;
            return has_device || function.empty() ? nullptr : find(cards_, cardOf(function));
        }

    private:
        void
        addDevice(const rdmaNic &nic) {
            const std::string bond = bondOfDevice(nic);
            const bool is_named = nic.name.find("_bond_") != std::string::npos; // by mlx5_ib
            if ((bond.empty() && !is_named) || nic.pci.empty()) {
                return;
            }
            functions_.emplace(nic.pci, &nic);
            cards_.emplace(cardOf(nic.pci), &nic);
            if (!bond.empty()) {
                bonds_.emplace(bond, &nic);
            }
        }

        using index_t = std::map<std::string, const rdmaNic *>;

        static const rdmaNic *
        find(const index_t &index, const std::string &key) {
            const auto it = index.find(key);
            return it == index.end() || key.empty() ? nullptr : it->second;
        }

        std::set<std::string> with_device_; /**< functions that have a device of their own */
        index_t bonds_;
        index_t functions_;
        index_t cards_;
    };

    /** A device among those of its port. */
    struct claimant {
        const rdmaNic *nic = nullptr;
        std::size_t index = 0;
        reach_t reach = reach_t::ANY;
        bool answers = false; /**< the port's own function, or the LAG device of it */

        auto
        order() const {
            return std::tuple(reach_t::ANY == reach          ? 0
                              : reach_t::LINK_LOCAL == reach ? 1
                                                             : 2,
                              isSoftware(*nic),
                              !answers,
                              std::string_view(nic->pci),
                              index);
        }

        bool
        operator<(const claimant &other) const {
            return order() < other.order();
        }
    };

    std::string
    kindOf(const rdmaNic &nic) {
        if (isSoftware(nic)) {
            return "Soft-RoCE";
        }
        if (nic.physicalFunction.empty()) {
            return "function";
        }
        return isScalable(nic) ? "scalable function" : "virtual function";
    }

    /** Why @p other gives way to @p owner, which is of the same port. */
    std::string
    whyShares(const claimant &owner, const claimant &other, const rdmaNic *lag) {
        const std::string &name = owner.nic->name;
        if (other.reach < owner.reach) {
            return "shares the physical port of " + name + ", and " +
                   (other.reach == reach_t::ELSEWHERE
                        ? "its own addresses are of another network namespace"
                        : "has a link-local address only itself");
        }
        if (isSoftware(*other.nic)) {
            return "Soft-RoCE on the port of " + name + ", which does RDMA in hardware";
        }
        if (owner.nic == lag && other.nic->physicalFunction.empty()) {
            return "part of the bond " + lag->bondMaster + ", for which " + name + " answers";
        }
        const std::string kind = kindOf(*other.nic);
        if (owner.nic == lag && functionOf(*other.nic) != lag->pci) {
            return kind + " of " + functionOf(*other.nic) + ", for whose bond " + name + " answers";
        }
        if (owner.answers && !other.answers) {
            return kind + " of " + name + ", which is there itself";
        }
        const bool are_alike = kind == kindOf(*owner.nic) && !other.nic->physicalFunction.empty();
        return "shares the physical port of " + name + ": both are " +
               (are_alike ? kind + "s of " : "of ") + functionOf(*other.nic);
    }

    /** Fills in reasons for those of @p left that give way; those that peers reach worst first. */
    void
    judge(const scene &at, const candidates &nics, bool by_reach, reasons_t &reasons) {
        candidates left;
        for (std::size_t i = 0; i < nics.size(); ++i) {
            if (reasons[i].empty()) {
                left.push_back(nics[i]);
            }
        }
        const lagDevices lags(at.host, left);
        std::map<std::string, std::vector<claimant>> ports;
        for (std::size_t i = 0; i < nics.size(); ++i) {
            const rdmaNic &nic = *nics[i].nic;
            const rdmaNic *lag = reasons[i].empty() ? lags.of(nic) : nullptr;
            const std::string &key = lag != nullptr ? lag->pci : functionOf(nic);
            if (reasons[i].empty() && !isInterface(nics[i]) && !key.empty()) {
                const bool answers = nic.physicalFunction.empty() && (!lag || lag == &nic);
                ports[key].push_back({&nic, i, reachOf(at, nics[i]), answers});
            }
        }
        for (auto &[key, claimants] : ports) {
            const claimant owner = *std::min_element(claimants.begin(), claimants.end());
            for (const claimant &other : claimants) {
                if (other.nic != owner.nic && (!by_reach || other.reach < owner.reach)) {
                    reasons[other.index] = whyShares(owner, other, lags.of(*owner.nic));
                }
            }
        }
    }

} // namespace

const std::string &
functionOf(const rdmaNic &nic) {
    return nic.physicalFunction.empty() ? nic.pci : nic.physicalFunction;
}

std::string
bondOfDevice(const rdmaNic &nic) {
    const bool is_whole = std::any_of(nic.ports.begin(), nic.ports.end(), [&](const port &at) {
        return at.netdev == nic.bondMaster;
    });
    return is_whole ? nic.bondMaster : "";
}

bool
isSoftware(const rdmaNic &nic) {
    return nic.driver == "rdma_rxe";
}

std::vector<std::string>
judgeSharedPort(const scene &at, candidates &nics) {
    // Twice: a LAG device that gives way here stands for no virtual function any more.
    reasons_t reasons(nics.size());
    judge(at, nics, true, reasons);
    judge(at, nics, false, reasons);
    return reasons;
}

} // namespace nixlStripe
