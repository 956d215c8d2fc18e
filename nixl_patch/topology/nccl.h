// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nccl.h
 * @brief NCCL's topology XML: as a machine of its own, and laid over one that sysfs described.
 *
 * Clouds hand such a file to their virtual machines, whose sysfs is flat: it carries the PCIe tree
 * and the NUMA nodes that the hypervisor hides. NCCL_TOPO_DUMP_FILE writes one as well.
 *
 * One `<pci>` of a bridge class stands for a whole switch. Link speeds are texts such as "16 GT/s"
 * or "16.0 GT/s PCIe", `speed` of a `<net>` is in Mbit/s.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_H

#include "topology/machine.h"
#include "topology/xml.h"

#include <cstddef>
#include <string>

namespace nixlStripe {

/** Whether a document's root element is that of NCCL's topology. */
bool isNcclTopology(const xmlElement &root);

/**
 * @brief Reads NCCL's topology XML as a machine.
 *
 * Hand-written files of clouds have no device names: an RDMA function without a `<net>` gets the
 * name that rdma-core would give it by its PCI address (rdmap16s27, ibP257p0s0). A `<net>` with a
 * `guid` of 0 is a network interface, NCCL's sockets. Port states are unknown.
 *
 * @throws std::invalid_argument naming @p path and line: not readable, not well-formed, not NCCL's,
 *         of an unknown version, or a `<pci>` without a valid busid.
 */
machine readNccl(const std::string &path);

/** The same for a document that was parsed already; @p source is its path, for messages. */
machine machineFromNccl(const xmlElement &root, const std::string &source);

/** How much of a machine a topology file spoke of. */
struct ncclOverlay {
    std::size_t gpus = 0;
    std::size_t nics = 0;
};

/**
 * @brief Lays an NCCL topology over a machine: where its GPUs, NICs and interfaces sit in the PCIe
 *        tree, on which NUMA node and behind which link, by PCI address, as NCCL does it.
 *
 * What a device is stays as it was, and so does the place of one that the file does not list. A
 * function without an entry takes that of function 0 of its slot: NCCL writes all ports of a card
 * as one. A rate is taken where @p host does not know it.
 *
 * @return What matched; @p host is untouched when nothing did.
 * @throws std::invalid_argument as readNccl(); @p host is untouched.
 */
ncclOverlay applyNcclTopology(machine &host, const std::string &path);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_H
