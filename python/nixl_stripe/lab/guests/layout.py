# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where NICs and GPUs sit in a guest: PCIe switches, roots and NUMA nodes. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

GpuPlace = Literal["P", "H", "N", "S"]
"""Place of a GPU against NIC 0: P same PCIe switch, H same PCI root (PHB), N a root of its own on
NIC 0's NUMA node (NODE), S a root of its own on the last NUMA node (SYS)."""

LayoutName = Literal["even", "near", "mixed"]
"""How NICs are dealt to NUMA nodes: `even` in equal blocks, `near` all on node 0, `mixed` three
quarters on node 0 and the rest on the last node."""

MAX_NICS = 32
MAX_NUMA_NODES = 4
MAX_ROOTS = 27
"""PCI roots of NIC switches and of GPUs: one slot each of the 32 of the first bus, five taken."""


@dataclass(frozen=True)
class Nic:
    """One NIC of a guest: its index gives name (`rxe<index>`, netdev `rail<index>`) and subnet."""

    index: int
    numa: int
    switch: int
    """PCIe switch, each under a PCI root of its own; two NICs share one."""


def verbs_device(netdev: str) -> str:
    """Return the RDMA device on a guest's netdev."""
    return netdev.replace("rail", "rxe")


@dataclass(frozen=True)
class Layout:
    """The PCI tree of a guest; both guests are alike."""

    nics: tuple[Nic, ...]
    numa_nodes: int
    gpus: tuple[GpuPlace, ...]

    @property
    def roots(self) -> int:
        """Number of PCI roots: one for each switch, and those of the GPUs at N and S."""
        return len(self.switches) + sum(place in ("N", "S") for place in self.gpus)

    @property
    def switches(self) -> tuple[int, ...]:
        """NUMA node of every PCIe switch."""
        return tuple({nic.switch: nic.numa for nic in self.nics}.values())


def arrange(
    nics: int,
    numa_nodes: int = 2,
    layout: LayoutName | Sequence[int] = "even",
    gpus: Iterable[GpuPlace] | str = (),
) -> Layout:
    """Return the layout of `nics` NICs on `numa_nodes` NUMA nodes, with GPUs at the places `gpus`.

    Args:
        nics: 1 to 32.
        numa_nodes: 1 to 4.
        layout: a name, or the NUMA node of each NIC in turn.
        gpus: at most one GPU for each place, as a sequence or a string such as `"NS"`.

    Raises:
        ValueError: something is out of range; place S needs two NUMA nodes; more than 27 PCI
            roots, of which two neighbouring NICs of one NUMA node share one.

    """
    if not 1 <= nics <= MAX_NICS:
        raise ValueError(f"nics: {nics} is not accepted; 1 to {MAX_NICS}")
    if not 1 <= numa_nodes <= MAX_NUMA_NODES:
        raise ValueError(f"numa_nodes: {numa_nodes} is not accepted; 1 to {MAX_NUMA_NODES}")
    nodes = _nodes(nics, numa_nodes, layout)
    wanted: set[str] = set(gpus)
    places: tuple[GpuPlace, ...] = tuple(one for one in get_args(GpuPlace) if one in wanted)
    if unknown := wanted - set(places):
        raise ValueError(f"gpus: {sorted(unknown)} is not accepted; any of P, H, N, S")
    if "S" in places and numa_nodes < 2:
        raise ValueError("gpus: place S is on another NUMA node; numa_nodes must be 2 or more")
    made = Layout(_switched(nodes), numa_nodes, places)
    if made.roots > MAX_ROOTS:
        raise ValueError(f"layout: {made.roots} PCI roots are not accepted; at most {MAX_ROOTS}")
    return made


def _nodes(nics: int, numa_nodes: int, layout: LayoutName | Sequence[int]) -> list[int]:
    if layout == "even":
        return [index * numa_nodes // max(nics, numa_nodes) for index in range(nics)]
    if layout == "near":
        return [0] * nics
    if layout == "mixed":
        near = nics - nics // 4
        return [0] * near + [numa_nodes - 1] * (nics - near)
    if isinstance(layout, str):
        raise ValueError(f"layout: {layout!r} is not accepted; even, near, mixed or NUMA nodes")
    nodes = list(layout)
    if len(nodes) != nics or not all(0 <= node < numa_nodes for node in nodes):
        raise ValueError(
            f"layout: {nodes} is not accepted; {nics} NUMA nodes, each below {numa_nodes}"
        )
    return nodes


def _switched(nodes: Sequence[int]) -> tuple[Nic, ...]:
    """Put two neighbouring NICs of one NUMA node under each PCIe switch."""
    made: list[Nic] = []
    switch = -1
    for index, numa in enumerate(nodes):
        joins = bool(made) and made[-1].numa == numa
        full = [nic.switch for nic in made].count(switch) == 2
        if not joins or full:
            switch += 1
        made.append(Nic(index, numa, switch))
    return tuple(made)
