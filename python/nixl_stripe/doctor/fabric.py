# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what joins NICs to their peers: GIDs, networks, MTU."""

from __future__ import annotations

from collections import Counter, defaultdict

from nixl_stripe import _core
from nixl_stripe.doctor.check import Check, Verdict, fail, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings

_REACHABILITY = "UCX_IB_ROCE_REACHABILITY_MODE"
#: The interface MTU from which a RoCE port uses its largest packets, 4096 bytes of payload.
_ROCE_FULL_MTU = 4200


def _ports(at: Surroundings) -> list[tuple[str, _core.Port]]:
    """Return the plan's ports with the names that UCX has for them."""
    chosen = set(at.plan.devices)
    return [
        (f"{nic.name}:{port.number}", port)
        for nic in at.planned
        for port in nic.ports
        if f"{nic.name}:{port.number}" in chosen
    ]


def _roce(at: Surroundings) -> list[tuple[str, _core.Port]]:
    return [(name, port) for name, port in _ports(at) if port.link_layer == "Ethernet"]


def _gids(at: Surroundings) -> Verdict:
    ports = _roce(at)
    if not ports:
        return skip("no RoCE port in the plan")
    bare = [
        f"{name} ({port.netdev or 'no interface'})"
        for name, port in ports
        if all(gid.lower().startswith("fe80:") for gid in port.gids)
    ]
    if not bare:
        return ok(f"each of {len(ports)} RoCE port(s) has an address")
    return fail(
        f"no address but a link-local one, so no route to peers: {', '.join(bare)}",
        "give each interface an address: ip addr add A.B.C.D/NN dev INTERFACE",
    )


def _subnets(at: Surroundings) -> Verdict:
    names = {name for name, _ in _roce(at)}
    if not names:
        return skip("no RoCE port in the plan")
    members = defaultdict(list)
    for nic in at.plan.nics:
        if nic.device in names:
            for subnet in nic.subnets:
                members[subnet].append(nic.device)
    shared = {subnet: nics for subnet, nics in members.items() if len(nics) > 1}
    mode = at.environ.get(_REACHABILITY, "route")
    if not shared:
        return ok(f"{len(members)} subnet(s), none shared by two NICs")
    listed = "; ".join(f"{subnet}: {', '.join(nics)}" for subnet, nics in shared.items())
    if at.is_host and mode in ("local_subnet", "all"):
        return ok(f"NICs share a subnet ({listed}) and {_REACHABILITY}={mode} allows that")
    return warn(
        f"NICs share a subnet ({listed}): Linux routes it through one of them, so UCX's route "
        "check may take the others for unreachable",
        f"export {_REACHABILITY}=local_subnet on both ends, or give each NIC a subnet of its own",
    )


def _mtu(at: Surroundings) -> Verdict:
    of = {net.name: net.mtu for net in at.machine.net_interfaces}
    names = {name: port.netdev for name, port in _roce(at)}
    names |= {device: device for device in at.plan.devices if device in of}
    mtus = {name: of[netdev] for name, netdev in names.items() if of.get(netdev)}
    if not mtus:
        return skip("no Ethernet port in the plan whose MTU is known")
    listed = ", ".join(f"{name} {mtu}" for name, mtu in mtus.items())
    if len(set(mtus.values())) > 1:
        common = Counter(mtus.values()).most_common(1)[0][0]
        return warn(
            f"MTUs differ: {listed}; the ends of a pair must agree, and packets of the smaller are "
            "dearer",
            f"ip link set dev INTERFACE mtu {max(common, 9000)}, on hosts and switches alike",
        )
    if _roce(at) and max(mtus.values()) < _ROCE_FULL_MTU:
        return warn(
            f"MTU {max(mtus.values())}: RoCE then sends 1024 bytes a packet, not 4096",
            "ip link set dev INTERFACE mtu 9000, on hosts and switches alike",
        )
    return ok(f"MTU {next(iter(mtus.values()))} everywhere")


CHECKS = (
    Check("gids", "addresses of RoCE ports", _gids, "machine"),
    Check("subnets", "one subnet on several RoCE NICs", _subnets, "machine"),
    Check("mtu", "MTUs that differ or are small", _mtu, "machine"),
)
