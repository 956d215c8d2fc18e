// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs_net.h"

#include "topology/limits.h"
#include "topology/natural_order.h"
#include "topology/sysfs_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr unsigned flag_up = 1; // IFF_UP
    constexpr double mbit_per_gbit = 1000;

    /** DEVTYPE of interfaces that the kernel calls Ethernet and that only wrap packets. */
    constexpr std::array<std::string_view, 6> tunnel_types = {
        "vxlan", "geneve", "gretap", "ip6gretap", "erspan", "wireguard"};

    bool
    isUp(const folder &where) {
        // `flags` lacks IFF_RUNNING in sysfs; "unknown" is what lo and tunnels say.
        const std::string state = where.text("operstate");
        const auto flags = parseNumber(where.text("flags"));
        return (state == "up" || state == "unknown") && flags.value_or(flag_up) & flag_up;
    }

    bool
    wrapsPackets(const folder &where) {
        constexpr std::string_view key = "DEVTYPE=";
        const std::string event = where.text("uevent");
        const std::size_t start = event.find(key);
        if (start == std::string::npos) {
            return where.has("tun_flags");
        }
        const std::string_view type = std::string_view(event).substr(start + key.size());
        return std::find(tunnel_types.begin(),
                         tunnel_types.end(),
                         type.substr(0, type.find('\n'))) != tunnel_types.end();
    }

    netKind_t
    kindOf(const folder &where, bool is_virtual) {
        const auto arp_type = parseNumber(where.text("type")).value_or(ARPHRD_ETHER);
        if (arp_type == ARPHRD_LOOPBACK) {
            return netKind_t::LOOPBACK;
        }
        if (arp_type == ARPHRD_INFINIBAND) {
            return netKind_t::INFINIBAND;
        }
        if (arp_type != ARPHRD_ETHER) {
            return netKind_t::TUNNEL;
        }
        if (!is_virtual) {
            return netKind_t::ETHERNET;
        }
        if (where.has("bridge")) {
            return netKind_t::BRIDGE;
        }
        if (where.has("bonding")) {
            return netKind_t::BOND;
        }
        return wrapsPackets(where) ? netKind_t::TUNNEL : netKind_t::ETHERNET;
    }

    bool
    isReachable(const sockaddr *address) {
        if (address == nullptr) {
            return false;
        }
        if (address->sa_family == AF_INET) {
            return true;
        }
        const auto *ipv6 = reinterpret_cast<const sockaddr_in6 *>(address);
        return address->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&ipv6->sin6_addr);
    }

} // namespace

void
readAddresses(machine &host) {
    ifaddrs *all = nullptr;
    if (::getifaddrs(&all) != 0) {
        return;
    }
    std::set<std::string> reachable;
    for (const ifaddrs *at = all; at != nullptr; at = at->ifa_next) {
        if (isReachable(at->ifa_addr)) {
            reachable.insert(at->ifa_name);
        }
    }
    ::freeifaddrs(all);
    for (netInterface &each : host.netInterfaces) {
        each.address = reachable.count(each.name) > 0 ? address_t::YES : address_t::NO;
    }
}

netReader::netReader(const folder &root, pciReader &pci, machine &host)
    : net_(root.sub("class/net"))
    , pci_(pci)
    , host_(host) {}

void
netReader::readAll() {
    const std::vector<std::string> names = net_.list();
    checkCount(host_.source, "network interfaces", names.size(), max_net_interfaces);
    for (const std::string &name : names) {
        const folder where = net_.sub(name);
        if (!where.isOpen()) {
            continue; // class/net/bonding_masters is a file
        }
        netInterface found;
        found.name = printable(name);
        found.up = isUp(where);
        found.isVirtual = !where.has("device");
        found.kind = kindOf(where, found.isVirtual);
        // A link that is down has no speed, and asking costs a round through the driver. The speed
        // of a virtual one (veth: 10 Gbit/s) is made up; a bond's is the sum of its members.
        const bool has_speed = found.up && (!found.isVirtual || found.kind == netKind_t::BOND);
        found.rateGbps = has_speed ? parseRate(where.text("speed")) / mbit_per_gbit : 0;
        found.mtu = static_cast<unsigned>(parseNumber(where.text("mtu")).value_or(0) & 0xffffffff);
        found.pci = pci_.addFunctionOf(net_, name, where);
        found.physicalFunction = found.pci.empty() ? "" : pci_.physicalFunction(found.pci);
        const std::string master = where.linkName("master");
        found.master = printable(master);
        facts_[name] = {master, found.pci, found.kind == netKind_t::BOND};
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
