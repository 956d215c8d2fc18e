// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_RDMA_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_RDMA_H

#include "topology/folder.h"
#include "topology/interfaces.h"
#include "topology/machine.h"
#include "topology/sysfs_net.h"
#include "topology/sysfs_pci.h"

#include <map>
#include <optional>
#include <string>

namespace nixlStripe {

/** Reads the RDMA devices of one sysfs. */
class rdmaReader {
public:
    /**
     * @param root The sysfs. @param dev Folder with `infiniband/uverbsN`, "" = access unknown.
     * @param pci Reads the functions. @param net After readAll(). @param host Takes the NICs.
     */
    rdmaReader(const folder &root, std::string dev, pciReader &pci, netReader &net, machine &host);

    /** Adds every RDMA device. */
    void readAll();

private:
    rdmaNic readNic(const std::string &name, const folder &where);
    port
    readPort(const folder &where, const folder &ports, unsigned number, const rdmaNic &nic) const;
    void readUverbs();
    access_t accessTo(const std::string &uverbs) const;

    folder infiniband_; /**< class/infiniband */
    folder verbs_;      /**< class/infiniband_verbs */
    std::string dev_;
    pciReader &pci_;
    netReader &net_;
    machine &host_;
    std::optional<interfacesHere> here_;        /**< once the interfaces have been read */
    std::map<std::string, std::string> uverbs_; /**< RDMA device -> uverbsN */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_RDMA_H
