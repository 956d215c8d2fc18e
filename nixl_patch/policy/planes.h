// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file planes.h
 * @brief Which InfiniBand subnets are planes or rails of one fabric.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_PLANES_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_PLANES_H

#include "policy/fabrics.h"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/**
 * @brief Tells the subnets of a fabric from those of others by how many NICs each has.
 *
 * The hosts of a cluster have to agree, so nothing counts that differs between them for a while:
 * not how fast a port is now, how wide its slot is, or where its NIC is plugged in. Subnets of one
 * vendor belong together unless one has at most half as many NICs as the largest of them, as
 * storage has, or another rate. A NIC that is down has no subnet: where those that are down would
 * make up for what smaller subnets lack, they do. Subnets of one NIC each are rails at any rate,
 * so that a link that trained down stays on its fabric. Where one NIC has ports in two such
 * subnets, these are two fabrics.
 */
class planes {
public:
    using place_t = std::pair<std::string, unsigned>; /**< PCI address, port */

    /** Adds a port that is up. @p wires With the port's own subnet; without one it is not added. */
    void add(const fabric &wires, std::size_t nic, double rate_gbps, const place_t &place);

    /** Adds a NIC that is down. */
    void addDown(const fabric &wires);

    /** Tells what belongs together; once, after the last one was added. */
    void tell();

    /** The first subnet, by place, of those that are one fabric with that of @p wires. */
    std::string of(const fabric &wires) const;

private:
    using family_t = std::pair<std::string, std::string>; /**< network, vendor */

    struct pool {
        fabric wires;
        std::set<std::size_t> nics;
        double rateGbps = 0; /**< the highest: slower ones have trained down */
        place_t first;
    };

    using pools_t = std::vector<const pool *>;

    void tellFamily(pools_t left, std::size_t down);
    void name(pools_t together);

    std::map<fabric, pool> pools_;
    std::map<family_t, std::size_t> down_;
    std::map<fabric, std::string> names_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_PLANES_H
