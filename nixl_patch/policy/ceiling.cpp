// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/ceiling.h"

#include "policy/device_spec.h"
#include "policy/max_flow.h"
#include "topology/pci_address.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

namespace nixlStripe {
namespace {

    constexpr unsigned bridge_class = 0x0604;
    constexpr double fastest_8b10b_gtps = 5;

    /** Idle GPUs lower their link to this, and hwloc records the speed of the moment. */
    constexpr double resting_gtps = 2.5;

    /**
     * GPUs of Grace superchips (GH200, GB200, GB300; the list is that of Linux' nvgrace-gpu
     * driver). Their memory is part of the host's, at 450 GB/s through NVLink-C2C: the PCIe link
     * that they have as well carries none of it.
     */
    constexpr unsigned nvidia_vendor = 0x10de;
    constexpr std::array<unsigned, 5> superchip_gpus = {0x2342, 0x2345, 0x2348, 0x2941, 0x31c2};

    double
    orUnlimited(double gbps) {
        return gbps > 0 ? gbps : flowNetwork::unlimited;
    }

    /** One way out of the machine: a port of a NIC or a network interface. */
    struct outlet {
        std::string name; /**< the same for devices that share it */
        std::string pci;
        double rateGbps = 0;
    };

    /** ConnectX-4 to ConnectX-8 as virtual functions, where the physical one is another host's. */
    constexpr unsigned mellanox_vendor = 0x15b3;
    constexpr std::array<unsigned, 6> virtual_functions = {
        0x1014, 0x1016, 0x1018, 0x101a, 0x101c, 0x101e};

    bool
    isVirtualHere(const machine &host, const rdmaNic &nic) {
        const auto it = host.pci.find(nic.pci);
        return it != host.pci.end() && it->second.vendor == mellanox_vendor &&
               std::count(virtual_functions.begin(), virtual_functions.end(), it->second.device) >
                   0;
    }

    constexpr unsigned emulated_vendor = 0x1b36; // QEMU's root ports

    /**
     * Whether a card is where a virtual machine has put it, with a function number that says
     * nothing: hardware is below a root port.
     */
    bool
    isRenumbered(const machine &host, const rdmaNic &nic) {
        const auto it = host.pci.find(nic.pci);
        if (it == host.pci.end()) {
            return false;
        }
        const auto above = host.pci.find(it->second.parent);
        return above == host.pci.end() ? !it->second.root.empty()
                                       : above->second.vendor == emulated_vendor;
    }

    /** Whether its card's number is unknown and its PCIe link carries less than its port. */
    bool
    isHalf(const machine &host, const rdmaNic &nic, const port &at) {
        const auto it = host.pci.find(nic.pci);
        const double link =
            it == host.pci.end() ? 0 : pcieGbps(it->second.linkGtps, it->second.linkWidth);
        return nic.sysImageGuid.empty() && nic.physicalFunction.empty() && link > 0 &&
               link < at.rateGbps;
    }

    /** "01:00.0" of "0002:01:00.0". */
    std::string
    placeInDomain(const std::string &pci) {
        return pci.substr(pci.find(':') + 1);
    }

    /**
     * A card of two PCIe links (DGX Spark) whose number is not visible: the one other device at the
     * same place of another domain, of the same kind, with a link as narrow for its port.
     */
    const rdmaNic *
    otherHalf(const machine &host, const rdmaNic &nic, const port &at) {
        if (!isHalf(host, nic, at)) {
            return nullptr;
        }
        const pciNode &here = host.pci.at(nic.pci);
        const rdmaNic *found = nullptr;
        for (const rdmaNic &other : host.nics) {
            const auto there = host.pci.find(other.pci);
            if (&other == &nic || there == host.pci.end() ||
                placeInDomain(other.pci) != placeInDomain(nic.pci) ||
                there->second.vendor != here.vendor || there->second.device != here.device) {
                continue;
            }
            const bool matches =
                std::any_of(other.ports.begin(), other.ports.end(), [&](const port &each) {
                    return each.number == at.number && each.rateGbps == at.rateGbps &&
                           isHalf(host, other, each);
                });
            if (!matches || found != nullptr) {
                return nullptr;
            }
            found = &other;
        }
        return found;
    }

    /**
     * The card's port behind a device: the same for virtual and scalable functions of one function,
     * and for the places of one card in several slots (Socket Direct, DGX Spark). Those have its
     * GUID in common, and each port its function number.
     */
    std::string
    cableOf(const machine &host, const rdmaNic &nic, const port &at) {
        const rdmaNic *physical = &nic;
        for (const rdmaNic &other : host.nics) {
            if (!nic.physicalFunction.empty() && other.pci == nic.physicalFunction) {
                physical = &other;
            }
        }
        const std::string &function = nic.physicalFunction.empty() ? nic.pci : nic.physicalFunction;
        const std::string number = ":" + std::to_string(at.number);
        const bool is_alone =
            physical == &nic && (!nic.physicalFunction.empty() || isVirtualHere(host, nic));
        if (const rdmaNic *other = otherHalf(host, nic, at)) {
            return std::min(nic.pci, other->pci) + number;
        }
        if (physical->sysImageGuid.empty() || function.empty() || is_alone ||
            isRenumbered(host, *physical)) {
            return (function.empty() ? nic.name : function) + number;
        }
        return physical->sysImageGuid + function.substr(function.rfind('.')) + number;
    }

    outlet
    findOutlet(const machine &host, const std::string &device) {
        const deviceSpec spec = parseDeviceList("device", device).at(0);
        for (const rdmaNic &nic : host.nics) {
            for (const port &at : nic.ports) {
                if (nic.name == spec.name && spec.port.value_or(at.number) == at.number) {
                    return {cableOf(host, nic, at), nic.pci, at.rateGbps};
                }
            }
        }
        for (const netInterface &each : host.netInterfaces) {
            if (each.name == device) {
                return {each.name, each.pci, each.rateGbps};
            }
        }
        throw std::invalid_argument("device '" + device + "' is not on " + host.source);
    }

    /** The PCIe tree as pipes: nodes by address, cards with several functions once. */
    class linkNetwork {
    public:
        explicit linkNetwork(const machine &host)
            : host_(host)
            , memory_(network_.addNode())
            , world_(network_.addNode()) {
            for (const gpu &each : host.gpus) {
                const auto it = host.pci.find(each.pci);
                if (it != host.pci.end() && it->second.linkGtps <= resting_gtps) {
                    resting_.insert({each.pci, it->second.parent});
                }
            }
        }

        void
        addOutlet(const outlet &way) {
            const auto [it, is_new] = outlets_.try_emplace(way.name, 0);
            if (is_new) {
                it->second = network_.addNode();
                network_.addPipe(it->second, world_, orUnlimited(way.rateGbps));
            }
            network_.addPipe(nodeOf(way.pci), it->second, flowNetwork::unlimited);
        }

        double
        flowFrom(const std::optional<std::string> &gpu_pci) {
            const bool has_link = gpu_pci && !isOnSuperchip(*gpu_pci);
            return network_.maxFlow(has_link ? nodeOf(*gpu_pci) : memory_, world_);
        }

    private:
        bool
        isOnSuperchip(const std::string &gpu_pci) const {
            const auto it = host_.pci.find(gpu_pci);
            return it != host_.pci.end() && it->second.vendor == nvidia_vendor &&
                   std::count(superchip_gpus.begin(), superchip_gpus.end(), it->second.device) > 0;
        }

        /** Functions of one card have one link; ports of a switch or root complex have their own.
         */
        static std::string
        linkName(const pciNode &node) {
            const bool is_bridge = node.classCode >> 8U == bridge_class;
            return is_bridge ? node.address : node.address.substr(0, node.address.rfind('.'));
        }

        std::size_t
        nodeOf(const std::string &address) {
            const auto it = host_.pci.find(address);
            if (it == host_.pci.end()) {
                return memory_;
            }
            const pciNode &node = it->second;
            const auto [known, is_new] = nodes_.try_emplace(linkName(node), 0);
            if (!is_new) {
                return known->second;
            }
            const std::size_t index = known->second = network_.addNode();
            const std::size_t above = nodeOf(node.parent);
            const bool is_known = resting_.count(address) == 0;
            const double gbps = orUnlimited(is_known ? pcieGbps(node.linkGtps, node.linkWidth) : 0);
            network_.addPipe(index, above, gbps);
            network_.addPipe(above, index, gbps);
            return index;
        }

        const machine &host_;
        flowNetwork network_;
        std::size_t memory_;            /**< host memory and everything above the root ports */
        std::size_t world_;             /**< the other end of every cable */
        std::set<std::string> resting_; /**< both ends of links that idle GPUs slowed down */
        std::map<std::string, std::size_t> nodes_;
        std::map<std::string, std::size_t> outlets_;
    };

    bool
    hasGpu(const machine &host, const std::string &address) {
        for (const gpu &each : host.gpus) {
            if (each.pci == address) {
                return true;
            }
        }
        return false;
    }

} // namespace

double
pcieGbps(double link_gtps, unsigned link_width) {
    const double encoding = link_gtps <= fastest_8b10b_gtps ? 8.0 / 10 : 128.0 / 130;
    return link_gtps * link_width * encoding;
}

std::optional<double>
ceilingGbps(const machine &host,
            const std::vector<std::string> &devices,
            const std::optional<std::string> &gpu_pci) {
    std::optional<std::string> source;
    if (gpu_pci) {
        source = normalPciAddress(*gpu_pci).value_or(*gpu_pci);
        if (!hasGpu(host, *source)) {
            throw std::invalid_argument("GPU '" + *gpu_pci + "' is not on " + host.source);
        }
    }
    linkNetwork links(host);
    for (const std::string &device : devices) {
        links.addOutlet(findOutlet(host, device));
    }
    const double gbps = links.flowFrom(source);
    return gbps == flowNetwork::unlimited ? std::nullopt : std::optional<double>(gbps);
}

} // namespace nixlStripe
