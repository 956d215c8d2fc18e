// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs_net.h"

#include "topology/natural_order.h"
#include "topology/sysfs_text.h"

#include <cstddef>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr unsigned flag_up = 1; // IFF_UP
    constexpr double mbit_per_gbit = 1000;

    bool
    isUp(const folder &where) {
        // `flags` lacks IFF_RUNNING in sysfs; "unknown" is what lo and tunnels say.
        const std::string state = where.text("operstate");
        const auto flags = parseNumber(where.text("flags"));
        return (state == "up" || state == "unknown") && flags.value_or(flag_up) & flag_up;
    }

} // namespace

netReader::netReader(const folder &root, pciReader &pci, machine &host)
    : net_(root.sub("class/net"))
    , pci_(pci)
    , host_(host) {}

void
netReader::readAll() {
    for (const std::string &name : net_.list()) {
        const folder where = net_.sub(name);
        if (!where.isOpen()) {
            continue; // class/net/bonding_masters is a file
        }
        netInterface found;
        found.name = printable(name);
        found.up = isUp(where);
        // A link that is down has no speed, and asking costs a round through the driver.
        found.rateGbps = found.up ? parseRate(where.text("speed")) / mbit_per_gbit : 0;
        found.mtu = static_cast<unsigned>(parseNumber(where.text("mtu")).value_or(0) & 0xffffffff);
        found.pci = pci_.addFunctionOf(net_, name, where);
        const std::string master = where.linkName("master");
        found.master = printable(master);
        facts_[name] = {master, found.pci, where.has("bonding")};
        host_.netInterfaces.push_back(std::move(found));
    }
}

std::string
netReader::interfaceOfPort(const folder &rdma, unsigned port) const {
    std::string best;
    const folder nets = rdma.sub("device/net");
    for (const std::string &name : nets.list()) {
        const std::string port_name = nets.text(name + "/phys_port_name");
        const bool is_representor = port_name.rfind("pf", 0) == 0;
        const auto index = parseNumber(nets.text(name + "/dev_port")).value_or(0);
        if (!is_representor && index + 1 == port && (best.empty() || naturalLess(name, best))) {
            best = name;
        }
    }
    return best;
}

std::string
netReader::bondOf(const std::string &interface) const {
    const auto it = facts_.find(interface);
    if (it == facts_.end()) {
        return {};
    }
    if (it->second.isBond) {
        return interface;
    }
    const auto master = facts_.find(it->second.master);
    return master != facts_.end() && master->second.isBond ? master->first : std::string();
}

std::string
netReader::pciOf(const std::string &interface) const {
    const auto it = facts_.find(interface);
    return it == facts_.end() ? std::string() : it->second.pci;
}

} // namespace nixlStripe
