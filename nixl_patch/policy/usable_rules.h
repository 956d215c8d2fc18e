// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file usable_rules.h
 * @brief The one table of what speaks against a NIC: impossibility excludes, preference ranks.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_RULES_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_RULES_H

#include "policy/usable.h"
#include "topology/interfaces.h"
#include "topology/machine.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** A NIC on its way through the rules. */
struct candidate {
    const rdmaNic *nic;
    std::vector<const port *> asked; /**< ports that the user's list leaves, ascending */
    std::set<unsigned> named;        /**< ports that the list gives for this NIC */
    bool wantsAny = true;            /**< asked for without a port: one of them will do */
    bool isSpelledOut = false;       /**< the list says this very name */
    std::vector<nicPort> active;     /**< those of `asked` that are ACTIVE and fast enough */
};

using candidates = std::vector<candidate>;

/** What a rule may look at beyond the NICs that are left. */
struct scene {
    scene(const machine &host, const usableRequest &request);

    const machine &host;
    const usableRequest &request;
    interfacesHere interfaces;
    /** NICs none of whose ports is ACTIVE, one of each physical port that no other NIC has. */
    std::vector<candidate> down;
};

enum class ruleKind_t {
    EXCLUDE, /**< it cannot be used, or the user said so */
    RANK,    /**< others are better: it stays where there are no others */
};

struct usableRule {
    std::string_view id;
    ruleKind_t kind;
    bool canBeNamed;          /**< a list that names the NIC in full overrides it */
    std::string_view meaning; /**< one line, for docs */
    std::string_view fix;     /**< what mends it, for doctor; "" = nothing has to be mended */
    /** @return For each of @p nics its reason, "" = it stays. May narrow their `active` ports. */
    std::vector<std::string> (*judge)(const scene &at, candidates &nics);
};

/** Every rule in the order in which they are applied. */
const std::vector<usableRule> &usableRules();

/** What the addresses of a port are good for; a larger one is better. */
enum class reach_t {
    ELSEWHERE,  /**< RoCE: each is of an interface in another network namespace */
    LINK_LOCAL, /**< RoCE: those of interfaces here reach the port's own link only */
    ANY,        /**< a peer anywhere, or nothing is known that says otherwise */
};

/** The best address of @p at, a port of @p nic. */
reach_t reachOf(const scene &where, const rdmaNic &nic, const port &at);

/** The best address of the ports of @p nic that are left. */
reach_t reachOf(const scene &where, const candidate &nic);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_USABLE_RULES_H
