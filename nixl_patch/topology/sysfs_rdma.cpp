// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs_rdma.h"

#include "topology/limits.h"
#include "topology/natural_order.h"
#include "topology/sysfs_text.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace nixlStripe {
namespace {

    /**
     * GID tables have up to 256 slots. RoCE's have holes, where an address went and where those of
     * other network namespaces are, which read as zeros: each is looked at. The others are filled
     * from the front.
     */
    constexpr unsigned max_gid_gap = 4;
    constexpr unsigned max_gid_slots = 256;
    constexpr unsigned max_port = 255;

    std::optional<unsigned>
    portNumber(const std::string &name) {
        const auto number = parseNumber(name);
        if (!number || *number < 1 || *number > max_port || std::to_string(*number) != name) {
            return std::nullopt;
        }
        return static_cast<unsigned>(*number);
    }

    /**
     * Fills the GIDs; returns the slots that have one, as names. @p ports is the device's `ports`
     * folder, @p prefix the port in it: "1/".
     */
    std::vector<std::string>
    readGids(const folder &ports, const std::string &prefix, port &item) {
        std::vector<std::string> slots;
        unsigned gap = 0;
        const unsigned most = item.linkLayer == linkLayer_t::ETHERNET ? max_gid_slots : max_gid_gap;
        for (unsigned slot = 0; slot < max_gid_slots && gap < most; ++slot, ++gap) {
            const std::string name = std::to_string(slot);
            std::string gid = ports.text(prefix + "gids/" + name);
            if (gid.empty()) {
                break; // past the end of the table: a slot that is free reads as zeros
            }
            item.areGidsKnown = true;
            if (isGid(gid)) {
                item.gids.push_back(std::move(gid));
                slots.push_back(name);
                gap = 0;
            }
        }
        item.hasGid = !item.gids.empty();
        return slots;
    }

    /**
     * The interfaces of a port's GIDs. Each address has its own: a VLAN's, a bond's, and in a pod
     * those of a macvlan or ipvlan of it beside the ones of the host's interface, which is not
     * here.
     */
    void
    readGidNetdevs(const folder &ports,
                   const std::string &prefix,
                   const std::vector<std::string> &slots,
                   const interfacesHere &here,
                   const rdmaNic &nic,
                   port &item) {
        const std::string ndevs = prefix + "gid_attrs/ndevs/";
        if (slots.empty()) {
            item.netdev = ports.text(ndevs + "0");
        }
        item.ownNetdev = printable(ports.text(ndevs + "0"));
        bool is_here = false;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            std::string netdev = ports.text(ndevs + slots[i]);
            const bool counts = !netdev.empty() && here.isOf(nic, item, printable(netdev));
            if (i == 0 || (counts && !is_here)) {
                item.netdev = netdev;
            }
            is_here = is_here || counts;
            item.gidNetdevs.push_back(printable(netdev));
            if (netdev.empty() || (counts && !isLinkLocal(item.gids[i]))) {
                break;
            }
        }
    }

    std::string
    driverOf(const folder &where) {
        // Soft-RoCE hangs off an interface, not off that interface's own driver.
        if (where.has("parent")) {
            return "rdma_rxe";
        }
        const std::string driver = where.linkName("device/driver");
        return printable(driver.empty() ? ueventValue(where.text("device/uevent"), "DRIVER")
                                        : driver);
    }

    /** It hangs off an auxiliary device of the function: mlx5_core.sf.4. */
    bool
    isScalableFunction(const folder &where) {
        return where.linkName("device").find(".sf.") != std::string::npos;
    }

    bool
    isUverbs(const std::string &name) {
        constexpr std::string_view prefix = "uverbs";
        return name.rfind(prefix, 0) == 0 &&
               parseNumber(std::string_view(name).substr(prefix.size())).has_value();
    }

} // namespace

rdmaReader::rdmaReader(
    const folder &root, std::string dev, pciReader &pci, netReader &net, machine &host)
    : infiniband_(root.sub("class/infiniband"))
    , verbs_(root.sub("class/infiniband_verbs"))
    , dev_(std::move(dev))
    , pci_(pci)
    , net_(net)
    , host_(host) {}

void
rdmaReader::readAll() {
    readUverbs();
    here_.emplace(host_.netInterfaces);
    const std::vector<std::string> names = infiniband_.list();
    checkCount(host_.source, "RDMA NICs", names.size(), max_nics);
    for (const std::string &name : names) {
        const folder where = infiniband_.sub(name);
        if (where.isOpen()) {
            host_.nics.push_back(readNic(name, where));
        }
    }
}

rdmaNic
rdmaReader::readNic(const std::string &name, const folder &where) {
    rdmaNic nic;
    nic.name = printable(name);
    nic.driver = driverOf(where);
    nic.nodeType = printable(where.text("node_type"));
    nic.sysImageGuid = knownGuid(where.text("sys_image_guid"));
    nic.pci = pci_.addFunctionOf(infiniband_, name, where);
    if (nic.pci.empty()) {
        nic.pci = net_.pciOf(where.text("parent"));
    }
    nic.physicalFunction = nic.pci.empty() ? "" : pci_.physicalFunction(nic.pci);
    nic.isVirtualFunction = !nic.physicalFunction.empty();
    if (!nic.pci.empty() && isScalableFunction(where)) {
        nic.physicalFunction = nic.pci; // it has its parent's address and none of its own
    }
    const folder ports = where.sub("ports");
    for (const std::string &entry : ports.list()) {
        const auto number = portNumber(entry);
        if (!number || !ports.has(entry + "/.")) { // a file is no port
            continue;
        }
        port item = readPort(where, ports, *number, nic);
        if (item.linkLayer == linkLayer_t::ETHERNET && nic.bondMaster.empty()) {
            nic.bondMaster = printable(net_.bondOf(item.netdev));
        }
        item.netdev = printable(item.netdev);
        nic.ports.push_back(std::move(item));
    }
    const auto uverbs = uverbs_.find(name);
    if (uverbs != uverbs_.end()) {
        nic.uverbs = uverbs->second;
    }
    nic.access = accessTo(nic.uverbs);
    return nic;
}

port
rdmaReader::readPort(const folder &where,
                     const folder &ports,
                     unsigned number,
                     const rdmaNic &nic) const {
    const std::string prefix = std::to_string(number) + "/";
    port item;
    item.number = number;
    item.linkLayer = parseLinkLayer(ports.text(prefix + "link_layer"), nic.driver);
    // On a real NIC each of these is a question to its firmware: ask only what can matter.
    item.state = parsePortState(ports.text(prefix + "state"));
    if (item.state != portState_t::ACTIVE) {
        item.physicalState = parsePhysicalState(ports.text(prefix + "phys_state"));
    }
    item.rateGbps = parseRate(ports.text(prefix + "rate"));
    if (item.linkLayer != linkLayer_t::ETHERNET) {
        const auto lid = parseNumber(ports.text(prefix + "lid"));
        item.lid = static_cast<unsigned>(lid.value_or(0) & 0xffffffff);
    }
    const std::vector<std::string> slots = readGids(ports, prefix, item);
    if (item.linkLayer != linkLayer_t::INFINIBAND) {
        readGidNetdevs(ports, prefix, slots, *here_, nic, item);
    }
    if (item.netdev.empty()) {
        item.netdev = net_.interfaceOfPort(where, number);
    }
    return item;
}

void
rdmaReader::readUverbs() {
    for (const std::string &name : verbs_.list()) {
        if (isUverbs(name)) {
            uverbs_.emplace(verbs_.text(name + "/ibdev"), name);
        }
    }
}

access_t
rdmaReader::accessTo(const std::string &uverbs) const {
    if (dev_.empty()) {
        return access_t::UNKNOWN;
    }
    if (uverbs.empty()) {
        return access_t::NO_NODE;
    }
    // Opened, not only looked at: a container's device rules forbid what its permissions allow.
    const std::string node = dev_ + "/infiniband/" + uverbs;
    const int fd = ::open(node.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        ::close(fd);
        return access_t::YES;
    }
    switch (errno) {
    case EACCES:
    case EPERM:
        return access_t::DENIED;
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        return access_t::NO_NODE;
    default:
        return access_t::UNKNOWN;
    }
}

} // namespace nixlStripe
