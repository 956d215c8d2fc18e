// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs_pci.h"

#include "topology/limits.h"
#include "topology/pci_devices.h"
#include "topology/sysfs_text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr unsigned max_id = 0xffff;
    constexpr unsigned max_class = 0xffffff;
    constexpr unsigned max_link_width = 64;

    unsigned
    number(std::string_view text, unsigned limit) {
        const auto value = parseNumber(text);
        return value && *value <= limit ? static_cast<unsigned>(*value) : 0U;
    }

    /** `uevent` has hexadecimal numbers without 0x. */
    unsigned
    hexNumber(std::string_view digits, unsigned limit) {
        return number("0x" + std::string(digits), limit);
    }

    bool
    endsWith(const pciPath &path, const std::string &address) {
        return !path.functions.empty() && path.functions.back() == address;
    }

} // namespace

pciReader::pciReader(const folder &root, machine &host)
    : devices_(root.sub("bus/pci/devices"))
    , host_(host) {}

void
pciReader::readGpus() {
    for (const std::string &address : devices_.list()) {
        if (!isPciAddress(address)) {
            continue;
        }
        const ids &known = idsOf(address);
        const auto vendor = gpuVendorOf(known.classCode, known.vendor, known.device);
        if (!vendor) {
            continue;
        }
        const pciPath path = pathOf(address, "");
        add(path);
        setSpeedUnderLoad(path);
        gpu found;
        found.pci = address;
        found.vendor = *vendor;
        host_.gpus.push_back(std::move(found));
    }
}

void
pciReader::setSpeedUnderLoad(const pciPath &path) {
    const std::size_t ends = std::min<std::size_t>(path.functions.size(), 2);
    const std::size_t first = path.functions.size() - ends;
    double fastest = 0;
    for (std::size_t i = first; i < path.functions.size(); ++i) {
        const double gtps = parseRate(devices_.text(path.functions[i] + "/max_link_speed"));
        fastest = fastest == 0 || (gtps > 0 && gtps < fastest) ? gtps : fastest;
    }
    for (std::size_t i = first; i < path.functions.size(); ++i) {
        pciNode &node = host_.pci.at(path.functions[i]);
        node.linkGtps = std::max(node.linkGtps, fastest);
    }
}

std::string
pciReader::addFunctionOf(const folder &kind, const std::string &name, const folder &entry) {
    // From the cheapest to the dearest; the later ones serve copies whose links were replaced by
    // folders, and devices between the function and the entry (virtio, mlx5 sub-functions).
    const std::string place = kind.link(name);
    std::string address = entry.linkName("device");
    std::string hint = place;
    if (!isPciAddress(address)) {
        pciPath path = parsePciPath(place);
        if (path.functions.empty()) {
            hint = entry.sub("device").realPath();
            path = parsePciPath(hint);
        }
        address = path.functions.empty() ? ueventValue(entry.text("device/uevent"), "PCI_SLOT_NAME")
                                         : path.functions.back();
    }
    if (!isPciAddress(address)) {
        return {};
    }
    add(pathOf(address, hint));
    return address;
}

std::string
pciReader::physicalFunction(const std::string &address) const {
    const std::string parent = devices_.linkName(address + "/physfn");
    return isPciAddress(parent) ? parent : std::string();
}

pciPath
pciReader::pathOf(const std::string &address, const std::string &hint) const {
    for (const std::string &text : {devices_.link(address), hint}) {
        pciPath path = parsePciPath(text);
        if (endsWith(path, address)) {
            return path;
        }
    }
    return {"", {address}};
}

void
pciReader::add(const pciPath &path) {
    if (host_.pci.count(path.functions.back()) > 0) {
        return;
    }
    checkCount(
        host_.source, "PCI functions above one another", path.functions.size() - 1, max_pci_depth);
    const int numa_node = numaOf(path);
    for (std::size_t i = 0; i < path.functions.size(); ++i) {
        if (host_.pci.count(path.functions[i]) == 0) {
            addNode(path, i, numa_node);
        }
    }
}

int
pciReader::numaOf(const pciPath &path) {
    // A host bridge and all below it are one node's, so the bridges need not be asked.
    for (auto it = path.functions.rbegin(); it != path.functions.rend(); ++it) {
        const auto [known, is_new] = numaNodes_.try_emplace(*it, unknown_numa);
        if (is_new) {
            known->second = parseNumaNode(devices_.text(*it + "/numa_node"));
        }
        if (known->second != unknown_numa) {
            return known->second;
        }
    }
    return unknown_numa;
}

void
pciReader::addNode(const pciPath &path, std::size_t index, int numa_node) {
    pciNode node;
    node.address = path.functions[index];
    node.parent = index > 0 ? path.functions[index - 1] : std::string();
    node.root = path.root;
    node.numaNode = numa_node;
    const ids &known = idsOf(node.address);
    node.classCode = known.classCode;
    node.vendor = known.vendor;
    node.device = known.device;
    node.linkGtps = parseRate(devices_.text(node.address + "/current_link_speed"));
    node.linkWidth = number(devices_.text(node.address + "/current_link_width"), max_link_width);
    host_.pci.emplace(node.address, std::move(node));
}

const pciReader::ids &
pciReader::idsOf(const std::string &address) {
    const auto [it, is_new] = ids_.try_emplace(address);
    if (!is_new) {
        return it->second;
    }
    // One file instead of three; copies may lack it.
    const std::string uevent = devices_.text(address + "/uevent");
    const std::string pair = ueventValue(uevent, "PCI_ID");
    const std::size_t colon = pair.find(':');
    const unsigned code = hexNumber(ueventValue(uevent, "PCI_CLASS"), max_class);
    if (code != 0 && colon != std::string::npos) {
        it->second = {code,
                      hexNumber(pair.substr(0, colon), max_id),
                      hexNumber(pair.substr(colon + 1), max_id)};
    } else {
        it->second = {number(devices_.text(address + "/class"), max_class),
                      number(devices_.text(address + "/vendor"), max_id),
                      number(devices_.text(address + "/device"), max_id)};
    }
    return it->second;
}

} // namespace nixlStripe
