// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file interfaces.h
 * @brief Which network interfaces of this network namespace are those of an RDMA NIC.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_INTERFACES_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_INTERFACES_H

#include "topology/machine.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/**
 * @brief The interfaces of a machine by name; it must outlive this.
 *
 * A name alone does not say that an interface is a NIC's: every pod has an `eth0`, and the
 * interface that a GID table names may be the host's of the same name.
 */
class interfacesHere {
public:
    explicit interfacesHere(const std::vector<netInterface> &all);

    /**
     * @brief Whether the interface @p name that the GID table of a port has is in this network
     *        namespace, as far as the machine tells; true where it has no interfaces at all.
     *
     * Not where the one of that name is of another card or of another virtual function, a bond of
     * other cards, or a virtual one that has the name of the port's own interface, which is its
     * PCI function's and so cannot be virtual.
     */
    bool isOf(const rdmaNic &nic, const port &at, const std::string &name) const;

private:
    bool isOnFunction(const netInterface &each, const rdmaNic &nic) const;

    std::map<std::string_view, const netInterface *> names_;
    std::map<std::string_view, std::vector<const netInterface *>> members_; /**< by master */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_INTERFACES_H
