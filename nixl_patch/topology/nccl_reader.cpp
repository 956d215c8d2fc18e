// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/nccl_reader.h"

#include "topology/cpu_type.h"
#include "topology/limits.h"
#include "topology/nccl.h"
#include "topology/pci_address.h"
#include "topology/pci_devices.h"
#include "topology/sysfs_text.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr unsigned class_pci_bridge = 0x0604;

    bool
    isBridge(const pciNode &node) {
        return node.classCode >> 8 == class_pci_bridge;
    }

    /** "0x020700", or a prefix of it ("0x02") as NCCL writes it where sysfs has no class. */
    unsigned
    classOf(std::string_view text) {
        constexpr std::size_t full_length = 8;
        std::string padded(text);
        if (padded.size() >= 4 && padded.size() < full_length) {
            padded.resize(full_length, '0');
        }
        const auto value = parseNumber(padded);
        return value && *value <= 0xffffff ? static_cast<unsigned>(*value) : 0;
    }

    unsigned
    small(std::string_view text, unsigned limit) {
        const auto value = parseNumber(text);
        return value && *value <= limit ? static_cast<unsigned>(*value) : 0;
    }

    /** rdma-core's name by PCI address: prefix, domain if not 0, bus, slot, function if not 0. */
    std::string
    nameByAddress(const pciNode &node, linkLayer_t layer) {
        const pciAddress at = parsePciAddress(node.address).value_or(pciAddress());
        std::string name = layer == linkLayer_t::INFINIBAND ? "ib"
                           : layer == linkLayer_t::ETHERNET ? "roce"
                                                            : "rdma";
        if (at.domain != 0) {
            name += "P" + std::to_string(at.domain);
        }
        name += "p" + std::to_string(at.bus) + "s" + std::to_string(at.device);
        if (at.function != 0) {
            name += "f" + std::to_string(at.function);
        }
        return name;
    }

    class ncclReader {
    public:
        explicit ncclReader(const std::string &source)
            : source_(source) {
            host_.source = source;
        }

        machine
        read(const xmlElement &root) {
            for (const xmlElement &cpu : root.children) {
                if (cpu.name == "cpu") {
                    const int node = parseNumaNode(cpu.text("numaid"));
                    host_.numaNodes.push_back(node);
                    host_.cpu = cpuFromWords(cpu.text("arch"),
                                             cpu.text("vendor"),
                                             cpu.text("familyid"),
                                             cpu.text("modelid"));
                    children(cpu, nullptr, node, 0);
                }
            }
            checkSize(host_);
            return std::move(host_);
        }

    private:
        const std::string &source_;
        machine host_;
        std::map<std::string, std::size_t> nics_; // by name: places in host_.nics

        void
        children(const xmlElement &element,
                 const pciNode *above,
                 int numa_node,
                 std::size_t depth) {
            for (const xmlElement &child : element.children) {
                if (child.name == "pci") {
                    pci(child, above == nullptr ? "" : above->address, numa_node, depth);
                } else if (child.name == "nic") {
                    nic(child, above, numa_node);
                }
            }
        }

        void
        pci(const xmlElement &element,
            const std::string &parent,
            int numa_node,
            std::size_t depth) {
            checkCount(source_, "PCI functions above one another", depth, max_pci_depth);
            pciNode node;
            node.address = normalPciAddress(element.text("busid")).value_or("");
            if (node.address.empty()) {
                throw std::invalid_argument(source_ + ":" + std::to_string(element.line) +
                                            ": <pci> with busid '" +
                                            std::string(element.text("busid")) +
                                            "': expected an address such as 0000:1b:00.0");
            }
            node.parent = parent;
            node.numaNode = numa_node;
            node.classCode = classOf(element.text("class"));
            node.vendor = small(element.text("vendor"), 0xffff);
            node.device = small(element.text("device"), 0xffff);
            node.linkGtps = parseRate(element.text("link_speed"));
            node.linkWidth = small(element.text("link_width"), 64);
            node.isWholeSwitch = isBridge(node);
            if (!host_.pci.emplace(node.address, node).second) {
                throw std::invalid_argument(source_ + ":" + std::to_string(element.line) +
                                            ": <pci> " + node.address + " is there twice");
            }
            device(element, node);
            children(element, &node, numa_node, depth + 1);
        }

        void
        device(const xmlElement &element, const pciNode &node) {
            bool has_gpu = false;
            bool has_nic = false;
            for (const xmlElement &child : element.children) {
                has_gpu = has_gpu || child.name == "gpu";
                has_nic = has_nic || child.name == "nic";
            }
            // NCCL's own files may leave the vendor out.
            const unsigned vendor = node.vendor == 0 ? pci_vendor_nvidia : node.vendor;
            auto whose = gpuVendorOf(node.classCode, vendor, node.device);
            if (has_gpu && !whose) {
                whose = vendor == pci_vendor_nvidia ? gpuVendor_t::NVIDIA
                        : vendor == pci_vendor_amd  ? gpuVendor_t::AMD
                                                    : gpuVendor_t::OTHER;
            }
            if (whose) {
                host_.gpus.push_back({node.address, *whose, node.numaNode, ""});
            }
            if (!has_nic && isRdmaFunction(node)) {
                const linkLayer_t layer = linkLayerOf(node.classCode, node.vendor, node.device);
                addPort(nameByAddress(node, layer), &node, node.numaNode, 0);
                host_.nics.back().isNameMadeUp = true;
            }
        }

        /** A network function in such a file is there for NCCL to use, unless it never speaks RDMA.
         */
        static bool
        isRdmaFunction(const pciNode &node) {
            constexpr unsigned base_network = 0x02;
            const bool is_ena =
                node.vendor == pci_vendor_amazon && !isEfa(node.vendor, node.device);
            return node.classCode >> 16 == base_network && !is_ena &&
                   node.vendor != pci_vendor_virtio;
        }

        void
        nic(const xmlElement &element, const pciNode *above, int numa_node) {
            for (const xmlElement &net : element.children) {
                const std::string name(net.text("name"));
                if (net.name != "net" || name.empty()) {
                    continue;
                }
                constexpr unsigned max_mbps = 100000000;
                const double rate = small(net.text("speed"), max_mbps) / 1000.0;
                const std::string *const guid = net.attribute("guid");
                if (guid != nullptr && parseNumber(*guid) == 0) {
                    socketInterface(name, above, numa_node, rate);
                } else {
                    mergedNics(name, above, numa_node, rate);
                }
            }
        }

        void
        socketInterface(const std::string &name, const pciNode *above, int numa_node, double rate) {
            netInterface interface;
            interface.name = name;
            interface.up = true;
            interface.rateGbps = rate;
            interface.pci = above == nullptr ? "" : above->address;
            interface.numaNode = numa_node;
            host_.netInterfaces.push_back(std::move(interface));
        }

        /** NCCL merges NICs into one of a joined name ("mlx5_0+mlx5_1") and of their added speed.
         */
        void
        mergedNics(const std::string &name, const pciNode *above, int numa_node, double rate) {
            const auto count = std::count(name.begin(), name.end(), '+') + 1;
            // Such a device hangs below the switch that its parts share, not at a function.
            const pciNode *const function = above == nullptr || isBridge(*above) ? nullptr : above;
            for (std::size_t start = 0; start <= name.size();) {
                const std::size_t plus = std::min(name.find('+', start), name.size());
                if (plus > start) {
                    addPort(name.substr(start, plus - start),
                            function,
                            numa_node,
                            rate / static_cast<double>(count));
                }
                start = plus + 1;
            }
        }

        /**
         * Adds a port to the NIC @p name, which is new the first time. NCCL's `port` is no port
         * number (it adds the device's place on its card), so ports count in order of appearance.
         */
        void
        addPort(const std::string &name, const pciNode *function, int numa_node, double rate) {
            const auto [place, is_new] = nics_.try_emplace(name, host_.nics.size());
            if (is_new) {
                checkCount(source_, "RDMA NICs", host_.nics.size() + 1, max_nics);
                rdmaNic fresh;
                fresh.name = name;
                fresh.pci = function == nullptr ? "" : function->address;
                fresh.numaNode = numa_node;
                host_.nics.push_back(std::move(fresh));
            }
            std::vector<port> &ports = host_.nics[place->second].ports;
            port item;
            item.number = static_cast<unsigned>(ports.size()) + 1;
            item.rateGbps = rate;
            if (function != nullptr) {
                item.linkLayer =
                    linkLayerOf(function->classCode, function->vendor, function->device);
            }
            ports.push_back(std::move(item));
        }
    };

} // namespace

bool
isNcclTopology(const xmlElement &root) {
    return root.name == "system";
}

machine
readNcclElements(const xmlElement &root, const std::string &source) {
    if (!isNcclTopology(root)) {
        throw std::invalid_argument(source + ": no NCCL topology: expected <system>, found <" +
                                    root.name + ">");
    }
    // 1 is NCCL's, 2 is RCCL's; they differ in attributes that are not read here.
    const std::string_view version = root.text("version");
    if (version != "1" && version != "2") {
        throw std::invalid_argument(source + ":" + std::to_string(root.line) +
                                    ": NCCL topology of version '" + std::string(version) +
                                    "': 1 and 2 are known");
    }
    return ncclReader(source).read(root);
}

} // namespace nixlStripe
