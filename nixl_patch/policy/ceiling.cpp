// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/ceiling.h"

#include "policy/cables.h"
#include "policy/device_spec.h"
#include "policy/max_flow.h"
#include "topology/pci_address.h"
#include "topology/pcie_link.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

namespace nixlStripe {
namespace {

    constexpr unsigned bridge_class = 0x0604;

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

    outlet
    findOutlet(const machine &host, const std::string &device) {
        const deviceSpec spec = parseDeviceList("device", device).at(0);
        for (const rdmaNic &nic : host.nics) {
            for (const port &at : nic.ports) {
                if (nic.name == spec.name && spec.port.value_or(at.number) == at.number) {
                    return {cableOf(host, {&nic, at.number, at.rateGbps}), nic.pci, at.rateGbps};
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
            return is_bridge ? node.address : cardOf(node.address);
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
