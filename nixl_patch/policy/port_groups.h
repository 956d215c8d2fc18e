// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file port_groups.h
 * @brief Which ports belong together: one fabric, one rate, bonded or not; and what they carry.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_PORT_GROUPS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_PORT_GROUPS_H

#include "policy/fabrics.h"
#include "policy/usable_rules.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/** Two spellings of one rate. */
bool areAlike(double rate, double other);

/** The largest rate of the ports of @p nic that are left, Gbit/s. */
double rateOf(const candidate &nic);

/** Ports that could be used together. */
struct portGroup {
    fabric wires;
    std::string name;      /**< of the fabric, for messages */
    bool isBonded = false; /**< each of them is a bond or a member of one */
    bool isSoftware = false;
    double rateGbps = 0;    /**< of each port; 0 = unknown, or any (stripe_min_rate_gbps) */
    double gbps = 0;        /**< together, cut to the PCIe links of their cards */
    double nearGbps = 0;    /**< the part of those that are near a GPU */
    std::size_t count = 0;  /**< NICs that are there: those that are down too */
    std::size_t down = 0;   /**< those of them whose ports are all down */
    std::size_t nearby = 0; /**< those near a GPU */
    std::pair<std::string, unsigned> first; /**< lowest PCI address or else name, and port */

    /** Whether it is to be taken rather than @p other. */
    bool isBetter(const portGroup &other) const;
};

/** "4 NIC(s)", "3 NIC(s) without one and 1 that is down"; @p kind begins with a space. */
std::string whichNics(const portGroup &group, const std::string &kind = "");

/** Why @p best is taken rather than @p other: "carry more", behind "whose 4 NIC(s) ". */
std::string whyBetter(const portGroup &best, const portGroup &other);

/**
 * @brief The groups of some NICs. Those that a list names in full are in none.
 *
 * NICs that are down (scene) count for the heaviest group of their fabric that has a usable NIC:
 * a host with a port down has to choose as its peers do, or the two have nothing in common.
 */
class portGroups {
public:
    portGroups(const scene &at, const candidates &nics);

    /** Whether there is no NIC to choose among. */
    bool
    isEmpty() const {
        return groups_.empty();
    }

    /** The group that is taken: that of most bandwidth, what is near a GPU counted twice. */
    const portGroup &
    best() const {
        return groups_[best_];
    }

    /** The best group that the NIC at that place could be in; nullptr for one that is in none. */
    const portGroup *of(std::size_t nic) const;

    /** Whether that port of that NIC is on the fabric of the best group. */
    bool isOnFabric(std::size_t nic, unsigned port) const;

private:
    struct entry;
    using entries_t = std::vector<entry>;

    void tellNames();
    void addRates(const fabric &wires,
                  bool is_bonded,
                  const entries_t &entries,
                  bool has_rate,
                  std::vector<entries_t> &members);
    void addDown(const entries_t &down, std::vector<entries_t> &members);
    portGroup measure(const fabric &wires, const entries_t &entries) const;

    std::vector<portGroup> groups_;
    std::map<std::size_t, std::size_t> of_; /**< NIC -> its best group */
    std::map<std::pair<std::size_t, unsigned>, fabric> wires_;
    std::map<std::string, std::string> drivers_; /**< vendor -> what its NICs are called */
    std::size_t best_ = 0;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_PORT_GROUPS_H
