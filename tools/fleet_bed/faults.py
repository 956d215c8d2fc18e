# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Faults of a fleet in namespaces: how each is drawn, made, mended, and to be called."""

from __future__ import annotations

import random
from dataclasses import dataclass

from nixl_stripe.fleet.model import Kind

from fleet_bed.bed import Bed, port

Named = tuple[str, tuple[str, ...], tuple[str, ...]]

#: Of its rate, what a slow NIC has left.
_SLOW = 0.4

KINDS = (
    Kind.NIC_DOWN,
    Kind.NIC_SLOW,
    Kind.UNPATCHED,
    Kind.OTHER_RAILS,
    Kind.SWAPPED_CABLES,
    Kind.ROUTE,
    Kind.HOST_DEAD,
)
#: How a NIC can be down: at the host, at the switch, or with a link that lets nothing through.
_WAYS = ("host", "switch", "silent")


@dataclass(frozen=True)
class Fault:
    """hosts: their numbers; rails: places in the plan; way: of those that have several."""

    kind: Kind
    hosts: tuple[int, ...]
    rails: tuple[int, ...] = ()
    way: str = ""

    @property
    def named(self) -> Named:
        """Return kind, hosts and NICs as a finding has them."""
        return (
            self.kind.value,
            tuple(sorted(f"h{each}" for each in self.hosts)),
            tuple(f"rail{each}" for each in self.rails),
        )


def draw(kind: Kind, hosts: int, rails: int, chance: random.Random) -> Fault:
    """Return a fault of a kind; host 0 is as good as any."""
    ends = 2 if kind is Kind.ROUTE else 1
    nics = {Kind.SWAPPED_CABLES: 2, Kind.NIC_DOWN: 1, Kind.NIC_SLOW: 1, Kind.ROUTE: 1}
    return Fault(
        kind,
        tuple(chance.sample(range(hosts), ends)),
        tuple(sorted(chance.sample(range(rails), nics.get(kind, 0)))),
        chance.choice(_WAYS) if kind is Kind.NIC_DOWN else "",
    )


def make(bed: Bed, fault: Fault) -> None:
    """Make a fault of the network; those of a host's program are its keeper's."""
    first = fault.hosts[0]
    host = bed.hosts[first]
    if fault.kind is Kind.NIC_DOWN:
        _take_down(bed, first, fault.rails[0], fault.way)
    elif fault.kind is Kind.NIC_SLOW:
        _limit(bed, first, fault.rails[0], bed.mbit * _SLOW)
    elif fault.kind is Kind.SWAPPED_CABLES:
        one, other = fault.rails
        bed.plug(first, port(first, one), f"br{other}")
        bed.plug(first, port(first, other), f"br{one}")
    elif fault.kind is Kind.ROUTE:
        host.ip.route("add", dst=_address(fault), type="blackhole")
    elif fault.kind is Kind.OTHER_RAILS:
        rail = bed.rails - 1
        host.ip.flush_addr(index=host.index(f"rail{rail}"))


def mend(bed: Bed, fault: Fault) -> None:
    """Undo `make`."""
    first = fault.hosts[0]
    host = bed.hosts[first]
    if fault.kind is Kind.NIC_DOWN:
        _bring_up(bed, first, fault.rails[0], fault.way)
    elif fault.kind is Kind.NIC_SLOW:
        _limit(bed, first, fault.rails[0], bed.mbit)
    elif fault.kind is Kind.SWAPPED_CABLES:
        for each in fault.rails:
            bed.plug(first, port(first, each), f"br{each}")
    elif fault.kind is Kind.ROUTE:
        host.ip.route("del", dst=_address(fault), type="blackhole")
    elif fault.kind is Kind.OTHER_RAILS:
        rail = bed.rails - 1
        index = host.index(f"rail{rail}")
        host.ip.addr("add", index=index, address=f"10.77.{rail}.{first + 1}", prefixlen=24)
        bed.set_neighbours(first, rail)  # the kernel forgets them with the last address


def _address(fault: Fault) -> str:
    return f"10.77.{fault.rails[0]}.{fault.hosts[1] + 1}/32"


def _limit(bed: Bed, number: int, rail: int, mbit: float) -> None:
    bed.hosts[number].limit(f"rail{rail}", mbit)
    bed.switch.limit(port(number, rail), mbit)


def _take_down(bed: Bed, number: int, rail: int, way: str) -> None:
    host, name, plug = bed.hosts[number], f"rail{rail}", port(number, rail)
    if way == "host":
        host.up(name, up=False)
    elif way == "switch":
        bed.switch.up(plug, up=False)
    else:
        host.drop_all(name)
        bed.switch.drop_all(plug)


def _bring_up(bed: Bed, number: int, rail: int, way: str) -> None:
    host, name, plug = bed.hosts[number], f"rail{rail}", port(number, rail)
    if way == "silent":
        host.undrop(name, bed.mbit)
        bed.switch.undrop(plug, bed.mbit)
        return
    host.up(name)
    bed.switch.up(plug)
    bed.set_neighbours(number, rail)  # the kernel forgets them with the link
    bed.settle()
