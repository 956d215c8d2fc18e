// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_NET_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_NET_H

#include "topology/folder.h"
#include "topology/machine.h"
#include "topology/sysfs_pci.h"

#include <map>
#include <set>
#include <string>

namespace nixlStripe {

/**
 * @brief Notes which interfaces of @p host have an address; for the machine that this process runs
 *        on, since sysfs has none. Nothing changes when the system cannot say.
 */
void readAddresses(machine &host);

/** Reads the network interfaces of one sysfs; RDMA devices ask it about theirs. */
class netReader {
public:
    /** @param root The sysfs. @param pci Reads the functions. @param host Takes the interfaces. */
    netReader(const folder &root, pciReader &pci, machine &host);

    /** Adds every interface. */
    void readAll();

    /**
     * @brief The interface of a port among those of its device's PCI function.
     * @param rdma Folder of the RDMA device. @param port From 1.
     * @return "" without one. Representors of virtual functions are no port's interface.
     */
    std::string interfaceOfPort(const folder &rdma, unsigned port) const;

    /** The bond that @p interface is or belongs to, "" = none. Bridges and VRFs are no bonds. */
    std::string bondOf(const std::string &interface) const;

    /** PCI address of an interface that readAll() found, "" = virtual. */
    std::string pciOf(const std::string &interface) const;

private:
    struct facts {
        std::string master;
        std::string pci;
        bool isBond = false;
    };

    folder net_; /**< class/net */
    pciReader &pci_;
    machine &host_;
    std::map<std::string, facts> facts_; /**< by name as sysfs has it */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_NET_H
