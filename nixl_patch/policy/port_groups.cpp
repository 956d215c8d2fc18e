// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/port_groups.h"

#include "policy/cables.h"
#include "policy/nearness.h"
#include "policy/planes.h"
#include "topology/pci_address.h"
#include "topology/pcie_link.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

namespace nixlStripe {

/** One port of one NIC. */
struct portGroups::entry {
    std::size_t nic = 0;
    const candidate *device = nullptr;
    nicPort at;
    fabric wires; /**< its subnets: that of its own until planes have told */
    double carried = 0;
    double cardGbps = 0; /**< of its card's PCIe link; 0 = unknown */
    std::string cable;   /**< the same for devices that share it */
    bool isNear = false;
    std::pair<std::string, unsigned> place;
};

namespace {

    /** What may be a front end comes last where all else is equal. */
    constexpr std::array<std::string_view, 5> ranking = {
        "EFA", "InfiniBand", "Omni-Path", "Ethernet", ""};

    std::size_t
    rankOf(const std::string &network) {
        const auto it = std::find(ranking.begin(), ranking.end(), network);
        return static_cast<std::size_t>(it - ranking.begin());
    }

    /** Fractions of a Gbit/s are how a rate is spelled, not what decides. */
    long long
    whole(double gbps) {
        return std::llround(gbps);
    }

    long long
    weightOf(const portGroup &group) {
        return whole(group.gbps + group.nearGbps);
    }

} // namespace

bool
areAlike(double rate, double other) {
    return std::abs(rate - other) <= other * rate_tolerance;
}

double
rateOf(const candidate &nic) {
    double best = 0;
    for (const nicPort &at : nic.active) {
        best = std::max(best, at.rateGbps);
    }
    return best;
}

bool
portGroup::isBetter(const portGroup &other) const {
    const auto order = [](const portGroup &group) {
        return std::tuple(group.isSoftware,
                          -weightOf(group),
                          -static_cast<long long>(group.nearby),
                          -static_cast<long long>(group.count),
                          group.isBonded,
                          rankOf(group.wires.network),
                          -whole(group.rateGbps));
    };
    return std::pair(order(*this), first) < std::pair(order(other), other.first);
}

std::string
whichNics(const portGroup &group, const std::string &kind) {
    const std::string down = group.down == 0
                                 ? ""
                                 : " and " + std::to_string(group.down) +
                                       (group.down == 1 ? " that is down" : " that are down");
    return std::to_string(group.count - group.down) + " NIC(s)" + kind + down;
}

std::string
whyBetter(const portGroup &best, const portGroup &other) {
    if (best.isSoftware != other.isSoftware) {
        return "do RDMA in hardware";
    }
    if (weightOf(best) != weightOf(other)) {
        return whole(best.gbps) > whole(other.gbps) ? "carry more" : "carry more near GPUs";
    }
    if (best.nearby != other.nearby) {
        return "carry as much, more of them near GPUs";
    }
    if (best.count != other.count) {
        return "carry as much and are more";
    }
    if (best.isBonded != other.isBonded) {
        return "carry as much without a bond";
    }
    if (rankOf(best.wires.network) != rankOf(other.wires.network)) {
        return "carry as much, and " + best.wires.network + " is taken before " +
               (other.wires.network.empty() ? "what is unknown" : other.wires.network);
    }
    if (whole(best.rateGbps) != whole(other.rateGbps)) {
        return "carry as much at a higher rate";
    }
    return "carry as much and have the lower PCI address";
}

portGroups::portGroups(const scene &at, const candidates &nics) {
    const nearness near(at.host);
    const auto describe = [&](const candidate &device, const nicPort &port) {
        const rdmaNic &nic = *device.nic;
        entry each;
        each.device = &device;
        each.at = port;
        each.wires = fabricOf(at.host, device, port.port);
        each.carried = carriedGbps(at.host, port);
        each.cardGbps = linkGbps(at.host, nic.pci);
        each.isNear = near.isNear(nic);
        each.cable = cableOf(at.host, port);
        each.place = {nic.pci.empty() ? "~" + nic.name : nic.pci, port.port};
        return each;
    };
    entries_t entries;
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const rdmaNic &nic = *nics[i].nic;
        if (nics[i].isSpelledOut) {
            continue;
        }
        for (const nicPort &active : nics[i].active) {
            entry each = describe(nics[i], active);
            each.nic = i;
            drivers_.try_emplace(each.wires.vendor,
                                 nic.driver.empty() ? each.wires.vendor : nic.driver);
            entries.push_back(std::move(each));
        }
    }
    entries_t down; // a NIC may be of each kind of network that its ports are of
    for (std::size_t i = 0; i < at.down.size(); ++i) {
        std::set<std::string> networks;
        for (const port *each : at.down[i].asked) {
            entry made = describe(at.down[i], {at.down[i].nic, each->number, each->rateGbps});
            made.nic = nics.size() + i;
            if (!at.down[i].isSpelledOut && networks.insert(made.wires.network).second) {
                down.push_back(std::move(made));
            }
        }
    }
    planes known;
    for (const entry &each : entries) {
        known.add(each.wires, each.nic, each.at.rateGbps, each.place);
    }
    for (const entry &each : down) {
        known.addDown(each.wires);
    }
    known.tell();
    for (entry &each : entries) {
        each.wires.subnets = known.of(each.wires);
    }
    std::map<std::pair<fabric, bool>, entries_t> parts;
    std::map<std::pair<std::string, std::string>, std::set<std::string>> subnets;
    for (const entry &each : entries) {
        subnets[{each.wires.network, each.wires.vendor}].insert(each.wires.subnets);
    }
    for (const entry &each : entries) {
        wires_[{each.nic, each.at.port}] = each.wires;
        // A port whose subnet is unknown goes with each of the others.
        const std::set<std::string> &family = subnets[{each.wires.network, each.wires.vendor}];
        for (const std::string &one : family) {
            const bool fits = each.wires.subnets.empty() ? !one.empty() || family.size() == 1
                                                         : one == each.wires.subnets;
            if (fits) {
                const bool is_bonded = !each.device->nic->bondMaster.empty();
                parts[{{each.wires.network, each.wires.vendor, one}, is_bonded}].push_back(each);
            }
        }
    }
    std::vector<entries_t> members;
    for (const auto &[key, part] : parts) {
        addRates(key.first, key.second, part, !at.request.minRateGbps.has_value(), members);
    }
    addDown(down, members);
    for (std::size_t i = 1; i < groups_.size(); ++i) {
        best_ = groups_[i].isBetter(groups_[best_]) ? i : best_;
    }
    tellNames();
}

/** Adds a group for each rate, or one for all of them. */
void
portGroups::addRates(const fabric &wires,
                     bool is_bonded,
                     const entries_t &entries,
                     bool has_rate,
                     std::vector<entries_t> &all) {
    entries_t any; // network interfaces whose driver tells no rate go with each of the others
    entries_t sorted;
    for (const entry &each : entries) {
        (each.at.port == no_port && each.at.rateGbps <= 0 ? any : sorted).push_back(each);
    }
    if (sorted.empty()) {
        sorted.swap(any);
    }
    if (has_rate) {
        std::stable_sort(sorted.begin(), sorted.end(), [](const entry &a, const entry &b) {
            return a.at.rateGbps < b.at.rateGbps;
        });
    }
    for (std::size_t start = 0; start < sorted.size();) {
        std::size_t end = start + 1;
        while (end < sorted.size() &&
               (!has_rate || areAlike(sorted[end - 1].at.rateGbps, sorted[end].at.rateGbps))) {
            ++end;
        }
        entries_t members(sorted.begin() + static_cast<std::ptrdiff_t>(start),
                          sorted.begin() + static_cast<std::ptrdiff_t>(end));
        members.insert(members.end(), any.begin(), any.end());
        portGroup group = measure(wires, members);
        group.isBonded = is_bonded;
        group.rateGbps = has_rate ? sorted[end - 1].at.rateGbps : 0;
        for (const entry &each : members) {
            const auto it = of_.try_emplace(each.nic, groups_.size()).first;
            if (it->second < groups_.size() && group.isBetter(groups_[it->second])) {
                it->second = groups_.size();
            }
        }
        groups_.push_back(std::move(group));
        all.push_back(std::move(members));
        start = end;
    }
}

/** Counts each NIC that is down for the best group that it could be in. */
void
portGroups::addDown(const entries_t &down, std::vector<entries_t> &members) {
    std::map<std::size_t, entries_t> added;
    for (const entry &each : down) {
        const bool is_bonded = !each.device->nic->bondMaster.empty();
        std::size_t best = groups_.size();
        for (std::size_t i = 0; i < groups_.size(); ++i) {
            const portGroup &group = groups_[i];
            const bool fits = group.wires.isOfKind(each.wires) && group.isBonded == is_bonded;
            if (fits && (best == groups_.size() || group.isBetter(groups_[best]))) {
                best = i;
            }
        }
        if (best < groups_.size()) {
            added[best].push_back(each);
        }
    }
    for (auto &[index, entries] : added) {
        portGroup &group = groups_[index];
        double rate = group.rateGbps; // what a port says that is down means nothing
        for (const entry &member : members[index]) {
            rate = std::max(rate, member.at.rateGbps);
        }
        for (entry &each : entries) {
            each.at.rateGbps = rate;
            each.carried = each.cardGbps > 0 ? std::min(rate, each.cardGbps) : rate;
            members[index].push_back(each);
        }
        portGroup whole_group = measure(group.wires, members[index]);
        whole_group.isBonded = group.isBonded;
        whole_group.rateGbps = group.rateGbps;
        whole_group.first = group.first;
        whole_group.down = entries.size();
        whole_group.count = group.count + entries.size();
        group = std::move(whole_group);
    }
}

/** What would be left of some ports that are used together, and what that carries. */
portGroup
portGroups::measure(const fabric &wires, const entries_t &entries) const {
    struct card {
        double gbps = 0;
        double link = 0;
        bool isNear = false;
    };
    portGroup group;
    group.wires = wires;
    group.isSoftware = wires.vendor == software_vendor;
    double fastest = 0;
    for (const entry &each : entries) {
        fastest = std::max(fastest, each.carried);
        if (group.first.first.empty() || each.place < group.first) {
            group.first = each.place;
        }
    }
    std::map<std::string, card> cards;
    std::map<std::string, double> cables; // what the others leave of each
    std::set<std::size_t> seen;
    for (const entry &each : entries) {
        const bool is_dropped = each.carried * lane_ratio < fastest &&
                                each.carried < each.at.rateGbps && each.at.port != no_port;
        if (is_dropped || !seen.insert(each.nic).second) {
            continue; // UCX would leave its lane out; of a NIC's ports one is used
        }
        card &of = cards[cardOf(each.place.first)];
        double &left = cables.try_emplace(each.cable, each.at.rateGbps).first->second;
        const double carried = std::min(each.carried, left);
        left -= carried;
        of.gbps += carried;
        of.link = each.cardGbps;
        of.isNear = each.isNear;
        ++group.count;
        group.nearby += each.isNear ? 1 : 0;
    }
    for (const auto &[name, of] : cards) {
        const double gbps = of.link > 0 ? std::min(of.gbps, of.link) : of.gbps;
        group.gbps += gbps;
        group.nearGbps += of.isNear ? gbps : 0;
    }
    return group;
}

/** Names fabrics no more exactly than what tells them apart here. */
void
portGroups::tellNames() {
    std::map<std::string, std::set<std::string>> vendors;
    std::map<std::pair<std::string, std::string>, std::set<std::string>> subnets;
    for (const portGroup &group : groups_) {
        vendors[group.wires.network].insert(group.wires.vendor);
        subnets[{group.wires.network, group.wires.vendor}].insert(group.wires.subnets);
    }
    for (portGroup &group : groups_) {
        const fabric &wires = group.wires;
        group.name = wires.network.empty() ? "an unknown fabric" : wires.network;
        if (vendors[wires.network].size() > 1) {
            const std::string &driver = drivers_[wires.vendor];
            group.name += " (" + (driver.empty() ? "an unknown vendor" : driver) + ")";
        }
        if (subnets[{wires.network, wires.vendor}].size() > 1) {
            group.name += " (subnet " + wires.subnets + ")";
        }
    }
}

const portGroup *
portGroups::of(std::size_t nic) const {
    const auto it = of_.find(nic);
    return it == of_.end() ? nullptr : &groups_[it->second];
}

bool
portGroups::isOnFabric(std::size_t nic, unsigned port) const {
    const auto it = wires_.find({nic, port});
    if (it == wires_.end()) {
        return false;
    }
    const fabric &wires = it->second;
    const fabric &wanted = best().wires;
    return wires.isOfKind(wanted) && (wires.subnets.empty() || wires.subnets == wanted.subnets);
}

} // namespace nixlStripe
