// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file distance.h
 * @brief How far two PCI functions are from each other, in the words of NCCL and nvidia-smi.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_DISTANCE_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_DISTANCE_H

#include "topology/machine.h"

#include <cstddef>
#include <string>
#include <vector>

namespace nixlStripe {

/** Ordered: a smaller value is nearer. */
enum class distance_t {
    PIX,  /**< at most one PCIe switch between them */
    PXB,  /**< several PCIe switches, no host bridge */
    PHB,  /**< one host bridge (PCIe root complex) */
    NODE, /**< different host bridges of the same NUMA node */
    SYS,  /**< different NUMA nodes, or nothing is known that says otherwise */
};

/** "PIX", "PXB", "PHB", "NODE" or "SYS". */
const char *distanceName(distance_t distance);

/** Distance with a finer grain for ties. */
struct affinity {
    distance_t distance = distance_t::SYS;
    /** Steps of the PCI path that both share, the host bridge included; larger is nearer. 0 =
        nothing shared. Comparable only within one machine. */
    unsigned commonDepth = 0;
};

/** Where a device sits: the bridges above it and its NUMA node. */
struct pciPlace {
    std::vector<const pciNode *> path; /**< top bridge first, the function itself last */
    int numaNode = unknown_numa;
};

/** Place of the function @p address; without one in @p host only what @p numa_node says. */
pciPlace placeOf(const machine &host, const std::string &address, int numa_node);

/** Bridges above the function itself and below the first @p shared steps of its path. */
unsigned bridgesBelow(const pciPlace &device, std::size_t shared);

/** Nearer first: by distance, then by the deeper common path. */
bool isNearer(const affinity &a, const affinity &b);

/**
 * @brief Affinity of two PCI functions by their addresses.
 *
 * - One bridge in common: PIX when each side has at most one more bridge (a switch's downstream
 *   port) below it, else PXB.
 * - Same host bridge: PHB, also on flat machines where everything hangs off one root bus.
 * - No host bridge known for either but the same known NUMA node: PHB, as NCCL has it (its XML
 * knows CPUs, not host bridges).
 * - Same known NUMA node, or a machine of one NUMA node at most: NODE.
 * - Else SYS. A NUMA node that is unknown on a machine of several is never taken for the same one.
 *
 * An address that @p host does not list has no path and no NUMA node (see the overload below).
 */
affinity affinityBetween(const machine &host, const std::string &a, const std::string &b);

/** The same for a GPU and a NIC; devices without a PCI function in @p host count by NUMA node. */
affinity affinityBetween(const machine &host, const gpu &accelerator, const rdmaNic &nic);

/** All pairs of some GPUs and some NICs; each device's way up is looked up once. */
class affinities {
public:
    /** @param host Must outlive this. */
    affinities(const machine &host,
               const std::vector<const gpu *> &accelerators,
               const std::vector<const rdmaNic *> &nics);

    /** The pair of that GPU and that NIC, by their places in what was given. */
    affinity of(std::size_t accelerator, std::size_t nic) const;

private:
    const machine &host_;
    std::vector<pciPlace> gpus_;
    std::vector<pciPlace> nics_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_DISTANCE_H
