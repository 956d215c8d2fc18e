# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts for property tests: any mix of fabrics, vendors, ports, bonds, pods and addresses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st
from sysfs_machines import two_sockets
from sysfs_situations import LINK_LOCAL, address
from sysfs_trees import Function, Host, Net, Port, Rdma, SoftRdma, efa, mlx5, roce

KINDS = ("ib", "opa", "roce", "efa", "vpi", "two", "bnxt", "bond", "member", "vf", "pod")
STATES = ("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "DOWN")
PREFIXES = ("fe80:0000:0000:0000", "fec0:0000:0000:0007", "fec0:0000:0000:0008")
ADDRESSES = ("any", "any", "any", "local", "none")
AWAY = "gone"
"""What interfaces of another network namespace begin with: they are in no `class/net`."""


@dataclass(frozen=True)
class Card:
    """What is drawn for one card."""

    kind: str
    rates: tuple[float, float]
    states: tuple[str, str]
    prefixes: tuple[str, str]
    address: str


def _pair(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.sampled_from(values), st.sampled_from(values))


_rates = st.tuples(st.sampled_from((100.0, 200.0, 400.0)), st.sampled_from((100.0, 400.0)))
_cards = st.builds(Card, st.sampled_from(KINDS), _rates, _pair(STATES), _pair(PREFIXES),
                   st.sampled_from(ADDRESSES))  # fmt: skip


@st.composite
def mixed_hosts(draw: st.DrawFn) -> Host:
    """Draw a host of one to seven cards and one to four GPUs, perhaps with Soft-RoCE."""
    cards = draw(st.lists(_cards, min_size=1, max_size=7))
    functions = [_function(index, card) for index, card in enumerate(cards)]
    host = two_sockets(*functions, gpus=draw(st.integers(1, 4)))
    bonds = tuple(Net(f"bond{i}", speed=100000) for i in range(len(cards)))
    soft: tuple[SoftRdma, ...] = ()
    if draw(st.booleans()):
        port = Port(link_layer="Ethernet", rate=400.0, lid=0, netdev="mgmt0",
                    gids=(LINK_LOCAL, _ipv4(99)))  # fmt: skip
        soft = (SoftRdma(Rdma("rxe0", (port,)), "mgmt0"),)
    virtual = (*host.virtual_nets, Net("mgmt0", mtu=9000))
    return replace(host, bonds=bonds, soft=soft, virtual_nets=virtual)


def _ipv4(index: int) -> str:
    return f"0000:0000:0000:0000:0000:ffff:c0a8:{index:02x}01"


def _infiniband(index: int, card: Card, number: int = 1) -> Port:
    prefix = card.prefixes[number - 1]
    return Port(number, card.states[number - 1], rate=card.rates[number - 1], lid=index + 1,
                gids=(f"{prefix}:0000:00ff:fe0{number}:{index:04x}",))  # fmt: skip


def _ethernet(index: int, card: Card, number: int = 1) -> Port:
    gids = {"any": (LINK_LOCAL, _ipv4(index)), "local": (LINK_LOCAL,), "none": ()}[card.address]
    name = f"{AWAY if card.kind == 'pod' else 'eth'}{index}"
    return Port(number, card.states[number - 1], "Ethernet", card.rates[number - 1], 0, gids,
                name if gids else "")  # fmt: skip


def _function(index: int, card: Card) -> Function:
    at, name = address(index), f"mlx5_{index}"
    if card.kind == "efa":
        return efa(at, name, rate=card.rates[0])
    if card.kind in ("ib", "opa"):
        made = mlx5(at, name, _infiniband(index, card))
        return replace(made, vendor=0x8086, driver="hfi1") if card.kind == "opa" else made
    if card.kind == "two":
        return mlx5(at, name, _infiniband(index, card), _infiniband(index, card, 2))
    master = f"bond{index}" if card.kind in ("bond", "member") else ""
    nets = () if card.kind == "pod" else (Net(f"eth{index}", speed=100000, master=master),)
    port = _ethernet(index, card)
    if card.kind == "bond" and port.gids:
        port = replace(port, netdev=master)
    ports = (port, _infiniband(index, card, 2)) if card.kind == "vpi" else (port,)
    made = mlx5(at, name, *ports, nets=nets)
    if card.kind == "bnxt":
        return replace(made, vendor=0x14E4, driver="bnxt_en")
    if card.kind in ("vf", "pod"):
        return _with_virtual(index, made, card)
    return made


def _with_virtual(index: int, physical: Function, card: Card) -> Function:
    """Add a virtual function, as a device of the same PCI slot."""
    virtual = roce(f"{address(index)[:-1]}2", f"mlx5_{20 + index}", f"net{index}",
                   rate=card.rates[0], subnet=20 + index, physfn=physical.address)  # fmt: skip
    return replace(physical, children=(virtual,))
