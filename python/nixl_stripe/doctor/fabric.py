# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what joins NICs to their peers: GIDs, networks, MTU."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from nixl_stripe import _core
from nixl_stripe.doctor import mending
from nixl_stripe.doctor.check import Check, Verdict, ok, skip, warn
from nixl_stripe.doctor.surroundings import Surroundings, text_of

_REACHABILITY = "UCX_IB_ROCE_REACHABILITY_MODE"
#: The interface MTU from which a RoCE port uses its largest packets, 4096 bytes of payload.
_ROCE_FULL_MTU = 4200
#: Hard limit of neighbours, one table for all network namespaces of a host.
_NEIGHBOURS = "sys/net/ipv4/neigh/default/gc_thresh3"
#: Above that part of it the kernel throws entries out that are in use.
_ROOM = 0.8


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


def _of_reach(at: Surroundings, wanted: str) -> dict[str, _core.Port]:
    """Return the RoCE ports whose addresses are good for that, by "mlx5_0:1"."""
    nics = {nic.name: nic for nic in at.planned}
    return {
        name: port
        for name, port in _roce(at)
        if _core.reach_of(at.machine, nics[name.rpartition(":")[0]], port) == wanted
    }


def _gids(at: Surroundings) -> Verdict:
    bare = _of_reach(at, "link-local")
    if not bare:
        return ok(f"each of {len(_roce(at))} RoCE port(s) has an address")
    listed = ", ".join(f"{name} ({port.netdev or 'no interface'})" for name, port in bare.items())
    return warn(
        f"link-local addresses only: peers on other subnets cannot reach {listed}",
        "; ".join(mending.give_address(port.netdev) for port in bare.values()),
    )


def _namespace(at: Surroundings) -> Verdict:
    """Look for RoCE ports whose interface is in a network namespace other than this process's."""
    away = _of_reach(at, "elsewhere")
    if not away:
        return ok("the RoCE ports' interfaces are in this network namespace")
    listed = ", ".join(f"{name} ({port.netdev})" for name, port in away.items())
    return warn(
        f"the interfaces of {listed} are in another network namespace: UCX finds no route there",
        "; ".join(mending.move_interface(port.netdev) for port in away.values()),
    )


def _if_roce(check: Callable[[Surroundings], Verdict]) -> Callable[[Surroundings], Verdict]:
    """Return the check, left out where the plan has no RoCE port."""

    def look(at: Surroundings) -> Verdict:
        return check(at) if _roce(at) else skip("no RoCE port in the plan")

    return look


def _subnets(at: Surroundings) -> Verdict:
    names = {name for name, _ in _roce(at)}
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


def _neighbours(at: Surroundings) -> Verdict:
    """Compare the kernel's one table of neighbours with what hosts in one subnet need of it."""
    count = len(_roce(at)) or len(at.plan.devices) - len(_ports(at))
    if not count:
        return skip("no Ethernet NIC in the plan")
    limit = text_of(at.proc / _NEIGHBOURS)
    if not limit.isdigit():
        return skip(f"/proc/{_NEIGHBOURS} is not to be read here (look on the host)")
    room = int(limit) // count
    said = (
        f"{limit} neighbours at most: {room} hosts of {count} Ethernet NIC(s) each, where peers "
        "are in the NICs' own subnets"
    )
    used = max(len(text_of(at.proc / "net/arp").splitlines()) - 1, 0)
    needed = max((at.hosts or 0) * count, used)
    if needed <= int(limit) * _ROOM:
        return ok(said)
    why = f"{at.hosts} hosts need {at.hosts * count}" if at.hosts else f"{used} are there already"
    return warn(
        f"{said}; {why}. Over the limit connections fail with 'Destination is unreachable'",
        f"on every host: sysctl -w net.ipv4.neigh.default.gc_thresh3={needed * 4} "
        f"net.ipv4.neigh.default.gc_thresh2={needed * 2} "
        f"net.ipv4.neigh.default.gc_thresh1={needed}; the same for net.ipv6 where it is used",
    )


CHECKS = (
    Check("gids", "addresses of RoCE ports", _if_roce(_gids), "machine"),
    Check(
        "namespace", "RoCE interfaces in another network namespace", _if_roce(_namespace), "machine"
    ),
    Check("subnets", "one subnet on several RoCE NICs", _if_roce(_subnets), "machine"),
    Check("mtu", "MTUs that differ or are small", _mtu, "machine"),
    Check("neighbours", "room in the neighbour table for all hosts", _neighbours),
)
