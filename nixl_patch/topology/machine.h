// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file machine.h
 * @brief One host as data: RDMA NICs, network interfaces, GPUs and the PCIe tree that joins them.
 *
 * Plain values, no behaviour: sources (sysfs, hwloc XML, NCCL XML) fill a machine, policy and plan
 * read it. This layer knows neither UCX nor NIXL.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_MACHINE_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_MACHINE_H

#include <map>
#include <string>
#include <vector>

namespace nixlStripe {

/** A NUMA node that the source does not know (sysfs says -1 on flat virtual machines). */
constexpr int unknown_numa = -1;

enum class linkLayer_t { UNKNOWN, INFINIBAND, ETHERNET, EFA };

/** `ports/N/state` in sysfs; UNKNOWN where a source (hwloc, NCCL) does not say. */
enum class portState_t { UNKNOWN, DOWN, INIT, ARMED, ACTIVE, ACTIVE_DEFER };

struct port {
    unsigned number = 1; /**< as in `ports/<number>`, starts at 1 */
    portState_t state = portState_t::UNKNOWN;
    /** "Polling", "Disabled", ...; "" = unknown or not asked for (an ACTIVE port is up). */
    std::string physicalState;
    linkLayer_t linkLayer = linkLayer_t::UNKNOWN;
    double rateGbps = 0; /**< Gbit/s; 0 = unknown */
    unsigned lid = 0;
    bool areGidsKnown = false;     /**< the source has a GID table; one of zeros is known too */
    bool hasGid = false;           /**< at least one GID entry that is not zero */
    std::vector<std::string> gids; /**< the ones that are not zero, in table order */
    /** RoCE: the interfaces of the first of `gids`, in their order; "" = unknown. Read up to the
        first address that peers can reach and whose interface is here. */
    std::vector<std::string> gidNetdevs;
    std::string ownNetdev; /**< RoCE: the interface of the table's first slot, which is the port's
                                own or its bond; "" = unknown */
    std::string netdev; /**< network interface of the port (RoCE: the one that carries it, the first
                             of `gidNetdevs` that is here; IB: IPoIB), "" = none */
};

/** Whether `/dev/infiniband/uverbsN` can be opened by this process. */
enum class access_t {
    UNKNOWN, /**< the source is not this machine */
    YES,
    NO_NODE, /**< no such device node, e.g. not mapped into the container */
    DENIED,  /**< it is there, opening it is forbidden */
};

struct rdmaNic {
    std::string name;          /**< "mlx5_0" */
    bool isNameMadeUp = false; /**< the source has no names: by PCI address, as rdma-core would */
    std::vector<port> ports;
    std::string pci; /**< "0000:1b:00.0"; "" = unknown or a software device */
    int numaNode = unknown_numa;
    std::string driver;   /**< kernel driver: "mlx5_core", "efa", "rdma_rxe"; "" = unknown */
    std::string nodeType; /**< the kernel's: "1: CA", "4: RNIC" (iWARP); "" = unknown */
    bool isVirtualFunction = false;
    std::string physicalFunction; /**< PCI address of a virtual function's parent; "" = none */
    /** The card's own number, the same for each of its functions, wherever they are plugged in
        (Socket Direct); "" = unknown. */
    std::string sysImageGuid;
    std::string uverbs; /**< "uverbs0", "" = none */
    access_t access = access_t::UNKNOWN;
    /** Bond that an Ethernet port's interface is enslaved to or is itself (RoCE LAG), "" = none.
        Bonds of IPoIB interfaces do not count: they leave the verbs device as it is. */
    std::string bondMaster;
};

enum class netKind_t {
    ETHERNET, /**< also veth, VLAN, macvlan: anything that looks like it, see isVirtual */
    INFINIBAND,
    LOOPBACK,
    BRIDGE,
    BOND,
    TUNNEL, /**< carries its packets inside another interface's: tun, tap, vxlan, gre, WireGuard */
};

/** Whether an interface has an address that peers can reach (link-local ones do not count). */
enum class address_t {
    UNKNOWN, /**< the source is not this machine */
    YES,
    NO,
};

/** A network interface that UCX tcp could use. */
struct netInterface {
    std::string name;
    netKind_t kind = netKind_t::ETHERNET;
    bool isVirtual = false; /**< no device of any bus behind it */
    address_t address = address_t::UNKNOWN;
    bool up = false;
    double rateGbps = 0; /**< Gbit/s; 0 = unknown (virtual interfaces) */
    unsigned mtu = 0;
    std::string pci;              /**< "" for virtual interfaces */
    std::string physicalFunction; /**< PCI address of a virtual function's parent; "" = none */
    int numaNode = unknown_numa;
    std::string master; /**< bond or bridge it belongs to, "" = none */
};

enum class gpuVendor_t { NVIDIA, AMD, OTHER };

struct gpu {
    std::string pci;
    gpuVendor_t vendor = gpuVendor_t::OTHER;
    int numaNode = unknown_numa;
    std::string model; /**< "" = unknown */
};

/** One PCI function (bridge, switch port, NIC, GPU) and the way up from it. */
struct pciNode {
    std::string address; /**< "0000:1b:00.0" */
    std::string parent;  /**< address of the upstream bridge; "" = directly at the root complex */
    std::string root;    /**< host bridge, "pci0000:16"; "" = unknown */
    int numaNode = unknown_numa;
    unsigned classCode = 0; /**< 24 bits, 0x060400 is a PCI bridge */
    unsigned vendor = 0;
    unsigned device = 0;
    /** Negotiated speed of the link to its parent, GT/s per lane; 0 = unknown. A GPU's is the one
        that it has under load where the source tells (sysfs does): idle ones slow theirs down. */
    double linkGtps = 0;
    unsigned linkWidth = 0; /**< negotiated lanes of that link; 0 = unknown */
    /** Stands for a switch's upstream and downstream ports together (NCCL's XML has one node a
        switch; sysfs and hwloc have one a port). */
    bool isWholeSwitch = false;
};

enum class cpuKind_t { UNKNOWN, INTEL, AMD, ZHAOXIN, ARM, POWER };

/** The host's CPUs, which are alike. Their kind decides what crosses from device to device. */
struct cpuType {
    cpuKind_t kind = cpuKind_t::UNKNOWN;
    unsigned family = 0; /**< as in /proc/cpuinfo; 0 = unknown */
    unsigned model = 0;  /**< as in /proc/cpuinfo, with family 0 unknown too */
};

struct machine {
    std::string source;                      /**< where it was read from: a path, for messages */
    std::vector<rdmaNic> nics;               /**< natural order of names: mlx5_2 before mlx5_10 */
    std::vector<netInterface> netInterfaces; /**< natural order; lo and down ones included */
    std::vector<gpu> gpus; /**< order of PCI addresses, which is CUDA's PCI_BUS_ID order */
    std::map<std::string, pciNode> pci; /**< by address: NICs, GPUs and every bridge above them */
    std::vector<int> numaNodes;         /**< ascending */
    cpuType cpu;
    /** There are GPUs and NICs, none has a NUMA node, and every GPU is as far from one NIC as from
        any other: affinity says nothing (cloud VMs without a topology file). Set by normalize(). */
    bool isFlat = false;
    std::string ncclTopology;          /**< NCCL topology file laid over the PCIe tree, "" = none */
    std::vector<std::string> warnings; /**< what a user should know about the reading */
    bool isLive = false; /**< read from this machine's own /sys, so device access is known */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_MACHINE_H
