// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/tcp_nics.h"

#include "topology/names.h"
#include "topology/normalize.h"

#include <map>
#include <string_view>

namespace nixlStripe {
namespace {

    using kinds_t = std::map<std::string_view, netKind_t>;

    kinds_t
    kindsByName(const machine &host) {
        kinds_t kinds;
        for (const netInterface &each : host.netInterfaces) {
            kinds.emplace(each.name, each.kind);
        }
        return kinds;
    }

    bool
    hasHardware(const netInterface &each) {
        return !each.isVirtual || each.kind == netKind_t::BOND;
    }

    /** A VRF is a master too, but leaves its members their addresses. */
    bool
    isEnslaved(const kinds_t &kinds, const netInterface &each) {
        if (each.master.empty()) {
            return false;
        }
        const auto master = kinds.find(each.master);
        return master == kinds.end() || master->second == netKind_t::BRIDGE ||
               master->second == netKind_t::BOND;
    }

    /** What speaks against an interface by itself; no reason: nothing does. */
    refusal
    whyNot(const kinds_t &kinds, const netInterface &each) {
        if (!each.up) {
            return {"it is down", false};
        }
        if (each.kind == netKind_t::LOOPBACK || each.kind == netKind_t::BRIDGE ||
            each.kind == netKind_t::TUNNEL) {
            return {std::string(netKindName(each.kind)) + ", not a NIC", true};
        }
        if (isEnslaved(kinds, each)) {
            return {"part of " + each.master + ", which has the address", true};
        }
        if (each.address == address_t::NO) {
            return {"it has no address that a peer can reach", false};
        }
        return {};
    }

    rdmaNic
    asNic(const netInterface &each) {
        rdmaNic nic;
        nic.name = each.name;
        nic.pci = each.pci;
        nic.numaNode = each.numaNode;
        port only;
        only.number = no_port;
        only.state = portState_t::ACTIVE;
        only.linkLayer =
            each.kind == netKind_t::INFINIBAND ? linkLayer_t::INFINIBAND : linkLayer_t::ETHERNET;
        only.rateGbps = each.rateGbps;
        nic.ports.push_back(only);
        return nic;
    }

} // namespace

bool
usesTcp(const machine &host) {
    return host.nics.empty() && !host.netInterfaces.empty();
}

tcpNics
asTcpNics(const machine &host) {
    tcpNics result;
    result.host = host;
    const kinds_t kinds = kindsByName(host);
    bool any_hardware = false;
    for (const netInterface &each : host.netInterfaces) {
        result.host.nics.push_back(asNic(each));
        refusal reason = whyNot(kinds, each);
        if (!reason.text.empty()) {
            result.refused[each.name] = std::move(reason);
        } else {
            any_hardware = any_hardware || hasHardware(each);
        }
    }
    for (const netInterface &each : host.netInterfaces) {
        if (any_hardware && !hasHardware(each)) {
            result.refused.try_emplace(
                each.name, refusal{"virtual, and there are interfaces with hardware", true});
        }
    }
    normalize(result.host);
    return result;
}

} // namespace nixlStripe
