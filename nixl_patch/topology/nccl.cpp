// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/nccl.h"

#include "topology/nccl_reader.h"
#include "topology/normalize.h"
#include "topology/pci_address.h"
#include "topology/used_paths.h"

#include <map>
#include <set>
#include <string>
#include <utility>

namespace nixlStripe {
namespace {

    /** The entry of a function, or that of its card's function 0; end() without either. */
    std::map<std::string, pciNode>::const_iterator
    entryOf(const machine &file, const std::string &address) {
        const auto exact = file.pci.find(address);
        auto parts = parsePciAddress(address);
        if (exact != file.pci.end() || !parts) {
            return exact;
        }
        parts->function = 0;
        return file.pci.find(parts->text());
    }

    /** A bridge as the file has it; what kind of bridge stays as sysfs knows it, if it does. */
    void
    takeBridge(pciNode &known, const pciNode &listed) {
        const pciNode before = known;
        known = listed;
        if (before.classCode != 0) {
            known.classCode = before.classCode;
            known.vendor = before.vendor;
            known.device = before.device;
        }
    }

    /**
     * Moves one function to where the file has it; false when the file does not list it.
     * @param taken Bridges that are as the file has them already, and so are those above them.
     */
    bool
    place(machine &host,
          const machine &file,
          const std::string &address,
          std::set<std::string> &taken) {
        const auto entry = entryOf(file, address);
        if (entry == file.pci.end()) {
            return false;
        }
        pciNode &node = host.pci[address];
        node.address = address;
        node.parent = entry->second.parent;
        node.root = entry->second.root;
        if (entry->second.numaNode != unknown_numa) {
            node.numaNode = entry->second.numaNode;
        }
        if (entry->second.linkGtps > 0) {
            node.linkGtps = entry->second.linkGtps;
        }
        if (entry->second.linkWidth > 0) {
            node.linkWidth = entry->second.linkWidth;
        }
        for (auto up = file.pci.find(entry->second.parent);
             up != file.pci.end() && taken.insert(up->first).second;
             up = file.pci.find(up->second.parent)) {
            takeBridge(host.pci[up->first], up->second);
        }
        return true;
    }

    template <typename Device>
    std::size_t
    placeAll(machine &host, const machine &file, std::vector<Device> &devices) {
        std::set<std::string> taken;
        std::size_t matched = 0;
        for (Device &device : devices) {
            if (!device.pci.empty() && place(host, file, device.pci, taken)) {
                ++matched;
                device.numaNode = host.pci.at(device.pci).numaNode;
            }
        }
        return matched;
    }

    void
    takeRates(machine &host, const machine &file) {
        std::map<std::string, const rdmaNic *> listed;
        for (const rdmaNic &nic : file.nics) {
            listed.emplace(nic.name, &nic);
        }
        for (rdmaNic &nic : host.nics) {
            const auto it = listed.find(nic.name);
            if (it == listed.end() || it->second->ports.size() != nic.ports.size()) {
                continue;
            }
            for (std::size_t i = 0; i < nic.ports.size(); ++i) {
                if (nic.ports[i].rateGbps <= 0) {
                    nic.ports[i].rateGbps = it->second->ports[i].rateGbps;
                }
            }
        }
    }

} // namespace

machine
machineFromNccl(const xmlElement &root, const std::string &source) {
    machine host = readNcclElements(root, source);
    keepUsedPaths(host);
    normalize(host);
    return host;
}

machine
readNccl(const std::string &path) {
    return machineFromNccl(readXmlFile(path), path);
}

ncclOverlay
applyNcclTopology(machine &host, const std::string &path) {
    // All of the file's functions, whatever they are: files may give places and nothing else.
    const machine file = readNcclElements(readXmlFile(path), path);
    machine moved = host;
    ncclOverlay matched;
    matched.gpus = placeAll(moved, file, moved.gpus);
    matched.nics = placeAll(moved, file, moved.nics);
    if (matched.gpus + matched.nics == 0) {
        return matched;
    }
    if (file.cpu.kind != cpuKind_t::UNKNOWN) {
        moved.cpu = file.cpu;
    }
    placeAll(moved, file, moved.netInterfaces);
    takeRates(moved, file);
    keepUsedPaths(moved);
    normalize(moved);
    host = std::move(moved);
    return matched;
}

} // namespace nixlStripe
