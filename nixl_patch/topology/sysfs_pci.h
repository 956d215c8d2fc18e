// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_PCI_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_PCI_H

#include "topology/folder.h"
#include "topology/machine.h"
#include "topology/pci_path.h"

#include <cstddef>
#include <map>
#include <string>

namespace nixlStripe {

/** Reads PCI functions of one sysfs into a machine, each with the bridges above it. */
class pciReader {
public:
    /** @param root The sysfs. @param host Takes the functions; must outlive the reader. */
    pciReader(const folder &root, machine &host);

    /** Adds every GPU: NVIDIA display classes, AMD ones and AMD's accelerators (MI300). */
    void readGpus();

    /**
     * @brief Adds the function that an entry of /sys/class/<kind> belongs to.
     * @param kind The class's folder. @param name The entry. @param entry The entry's folder.
     * @return Its address, "" for a virtual device or an unreadable one.
     */
    std::string addFunctionOf(const folder &kind, const std::string &name, const folder &entry);

    /** The physical function of a virtual one, "" for any other. */
    std::string physicalFunction(const std::string &address) const;

private:
    struct ids {
        unsigned classCode = 0;
        unsigned vendor = 0;
        unsigned device = 0;
    };

    void add(const pciPath &path);
    void addNode(const pciPath &path, std::size_t index, int numa_node);
    /** An idle GPU trains its link down to 2.5 GT/s; what counts is what both its ends can do. */
    void setSpeedUnderLoad(const pciPath &path);
    pciPath pathOf(const std::string &address, const std::string &hint) const;
    int numaOf(const pciPath &path);
    const ids &idsOf(const std::string &address);

    folder devices_; /**< bus/pci/devices */
    machine &host_;
    std::map<std::string, int> numaNodes_; /**< by address, as its own file says */
    std::map<std::string, ids> ids_;       /**< by address; the search for GPUs has seen them all */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_PCI_H
