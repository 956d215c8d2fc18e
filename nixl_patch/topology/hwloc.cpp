// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/hwloc.h"

#include "topology/cpu_type.h"
#include "topology/hwloc_devices.h"
#include "topology/limits.h"
#include "topology/normalize.h"
#include "topology/pci_address.h"
#include "topology/pci_devices.h"
#include "topology/pcie_link.h"
#include "topology/sysfs_text.h"
#include "topology/used_paths.h"

#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    bool
    isIo(const xmlElement &element) {
        return isObject(element, "Bridge") || isObject(element, "PCIDev") ||
               isObject(element, "OSDev");
    }

    /** GPU memory and HBM show up as NUMA nodes of their own; they are not where a device sits. */
    bool
    isPlainMemory(const xmlElement &numa_node) {
        const std::string_view subtype = numa_node.text("subtype");
        return subtype.empty() || subtype == "DRAM";
    }

    class hwlocReader {
    public:
        hwlocReader(const xmlElement &root, const std::string &source) {
            host_.source = source;
            // Version 3 made the type of an OS device a set of bits.
            types_are_bits_ = parseRate(root.text("version")) >= 3;
        }

        machine
        read(const xmlElement &machine_object) {
            findNumaNodes(machine_object);
            architecture_ = std::string(objectInfos(machine_object).get("Architecture"));
            container(machine_object, unknown_numa);
            checkSize(host_);
            findPhysicalFunctions();
            keepUsedPaths(host_);
            normalize(host_);
            return std::move(host_);
        }

    private:
        struct place {
            std::string parent; // PCI address of the bridge above, "" at a host bridge
            std::string root;
            int numaNode = unknown_numa;
            std::size_t depth = 0; // PCI functions above
        };

        /** A part of plainMemory_. */
        struct range {
            std::size_t begin = 0;
            std::size_t end = 0;
        };

        machine host_;
        bool types_are_bits_ = false;
        std::string architecture_;                    // "x86_64"
        std::vector<const xmlElement *> plainMemory_; // NUMA nodes in the file's order
        std::map<const xmlElement *, range> below_;   // those inside an object

        /** Notes for every object which NUMA nodes are inside it, in one walk. */
        void
        findNumaNodes(const xmlElement &object) {
            range inside;
            inside.begin = plainMemory_.size();
            for (const xmlElement &child : object.children) {
                if (child.name != "object") {
                    continue;
                }
                if (isObject(child, "NUMANode") && isPlainMemory(child)) {
                    plainMemory_.push_back(&child);
                    checkCount(
                        host_.source, "NUMA nodes", plainMemory_.size(), max_numa_node_count);
                }
                findNumaNodes(child);
            }
            inside.end = plainMemory_.size();
            if (inside.end > inside.begin) {
                below_.emplace(&object, inside);
            }
        }

        /**
         * NUMA node of the I/O devices right below @p object. In version 1 a NUMANode contains the
         * cores and devices that are its own; since version 2 it is a leaf beside them.
         */
        int
        nodeOf(const xmlElement &object, int inherited) const {
            if (isObject(object, "NUMANode")) {
                return parseNumaNode(object.text("os_index"));
            }
            const auto found = below_.find(&object);
            if (found == below_.end()) {
                return inherited;
            }
            const range &inside = found->second;
            // Several kinds of memory of the same cores are one place, several sets of cores are
            // not.
            const bool is_only = inside.end - inside.begin == 1;
            const std::string *const cores = object.attribute("cpuset");
            int lowest = unknown_numa;
            for (std::size_t i = inside.begin; i < inside.end; ++i) {
                const std::string *const own = plainMemory_[i]->attribute("cpuset");
                if (!is_only && (cores == nullptr || own == nullptr || *own != *cores)) {
                    continue;
                }
                const int index = parseNumaNode(plainMemory_[i]->text("os_index"));
                if (lowest == unknown_numa || (index != unknown_numa && index < lowest)) {
                    lowest = index;
                }
            }
            return lowest;
        }

        void
        container(const xmlElement &object, int inherited) {
            const int node = nodeOf(object, inherited);
            if (isObject(object, "NUMANode")) {
                const int own = parseNumaNode(object.text("os_index"));
                host_.numaNodes.push_back(own);
            }
            if (isObject(object, "Package") || isObject(object, "Socket")) {
                const objectInfos infos(object);
                host_.cpu = cpuFromWords(architecture_,
                                         infos.get("CPUVendor"),
                                         infos.get("CPUFamilyNumber"),
                                         infos.get("CPUModelNumber"));
            }
            for (const xmlElement &child : object.children) {
                if (isIo(child)) {
                    io(child, {"", "", node, 0});
                } else if (child.name == "object") {
                    container(child, node);
                }
            }
        }

        void
        io(const xmlElement &object, const place &where) {
            if (isObject(object, "OSDev")) {
                osDevice(object, {}, "", where.numaNode);
                return;
            }
            checkCount(host_.source, "PCI functions above one another", where.depth, max_pci_depth);
            place below = where;
            ++below.depth;
            const std::string address = normalPciAddress(object.text("pci_busid")).value_or("");
            if (!address.empty()) {
                pciFunction(object, address, where);
                below.parent = address;
            } else if (isObject(object, "Bridge")) {
                below.root = hostBridge(object.text("bridge_pci"));
                below.parent.clear();
            }
            const hwlocFunction function(object, types_are_bits_);
            for (const xmlElement &child : object.children) {
                if (isObject(child, "OSDev")) {
                    osDevice(child, function, address, where.numaNode);
                } else if (isIo(child)) {
                    io(child, below);
                }
            }
        }

        /** The file says what is a virtual function, not of which: one of the same card, the
            nearest before it in the order of PCI addresses. */
        void
        findPhysicalFunctions() {
            std::map<std::string, std::set<std::string>> functions; // by card
            for (const rdmaNic &nic : host_.nics) {
                if (!nic.isVirtualFunction && !nic.sysImageGuid.empty() && !nic.pci.empty()) {
                    functions[nic.sysImageGuid].insert(nic.pci);
                }
            }
            for (rdmaNic &nic : host_.nics) {
                const auto card = functions.find(nic.sysImageGuid);
                if (!nic.isVirtualFunction || card == functions.end()) {
                    continue;
                }
                const auto after = card->second.upper_bound(nic.pci);
                nic.physicalFunction = after == card->second.begin() ? *after : *std::prev(after);
            }
        }

        /** "pci0000:44" for a host bridge of buses "0000:[44-54]", as sysfs names it. */
        static std::string
        hostBridge(std::string_view buses) {
            const std::size_t bracket = buses.find('[');
            if (bracket == std::string_view::npos) {
                return "";
            }
            std::string start(buses.substr(0, bracket));
            start += buses.substr(bracket + 1, 2);
            const auto address = normalPciAddress(start + ":00.0");
            return address ? "pci" + address->substr(0, address->rfind(':')) : "";
        }

        void
        pciFunction(const xmlElement &object, const std::string &address, const place &where) {
            pciNode node;
            node.address = address;
            node.parent = where.parent;
            node.root = where.root;
            node.numaNode = where.numaNode;
            // "0302 [10de:2330] [10de:16c1] a1"; version 3 appends the programming interface.
            const std::string_view type = object.text("pci_type");
            const auto number = [type](std::size_t at) {
                const std::string digits(type.size() < at + 4 ? "" : type.substr(at, 4));
                return static_cast<unsigned>(parseNumber("0x" + digits).value_or(0));
            };
            node.classCode = number(0) << 8;
            node.vendor = number(6);
            node.device = number(11);
            const pcieLink link = linkFromPayload(parseRate(object.text("pci_link_speed")));
            node.linkGtps = link.gtps;
            node.linkWidth = link.width;
            if (!host_.pci.emplace(address, node).second) {
                return; // the first one stands; hwloc itself writes each function once
            }
            if (const auto vendor = gpuVendorOf(node.classCode, node.vendor, node.device)) {
                host_.gpus.push_back({address, *vendor, node.numaNode, gpuModel(object)});
            }
        }

        static std::string
        gpuModel(const xmlElement &object) {
            for (const xmlElement &child : object.children) {
                const std::string_view model = objectInfos(child).get("GPUModel");
                if (!model.empty()) {
                    return std::string(model);
                }
            }
            return std::string(objectInfos(object).get("PCIDevice"));
        }

        void
        osDevice(const xmlElement &object,
                 const hwlocFunction &function,
                 const std::string &address,
                 int numa_node) {
            const std::string name(object.text("name"));
            if (name.empty()) {
                return;
            }
            const osDevice_t kind = osDeviceKind(object, types_are_bits_);
            if (kind == osDevice_t::NETWORK) {
                netInterface interface;
                interface.name = name;
                interface.up = true;
                interface.pci = address;
                interface.numaNode = numa_node;
                host_.netInterfaces.push_back(std::move(interface));
            } else if (kind == osDevice_t::OPENFABRICS) {
                rdmaNic nic;
                nic.name = name;
                nic.pci = address;
                nic.numaNode = numa_node;
                nic.isVirtualFunction = function.isVirtual();
                nic.sysImageGuid = knownGuid(objectInfos(object).get("SysImageGUID"));
                const auto at = host_.pci.find(address);
                const linkLayer_t layer =
                    at == host_.pci.end()
                        ? linkLayer_t::UNKNOWN
                        : linkLayerOf(at->second.classCode, at->second.vendor, at->second.device);
                nic.ports = readPorts(object, function, layer);
                host_.nics.push_back(std::move(nic));
            }
        }
    };

} // namespace

bool
isHwloc(const xmlElement &root) {
    return root.name == "topology";
}

machine
machineFromHwloc(const xmlElement &root, const std::string &source) {
    if (isHwloc(root)) {
        for (const xmlElement &child : root.children) {
            if (isObject(child, "Machine")) {
                return hwlocReader(root, source).read(child);
            }
        }
    }
    throw std::invalid_argument(source + ": no hwloc topology: expected <topology> with an <object "
                                         "type=\"Machine\"> in it (write one with lstopo "
                                         "--whole-io FILE.xml)");
}

machine
readHwloc(const std::string &path) {
    return machineFromHwloc(readXmlFile(path), path);
}

} // namespace nixlStripe
