# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts for property tests: any mix of NICs and GPUs, on one or two NUMA nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

from hypothesis import strategies as st
from sysfs_trees import Function, Host, Port, Root, bridge, gpu, mlx5

#: "nic", "gpu", or a NIC that no policy may take.
KINDS = ("nic", "gpu", "down", "slow")


@dataclass(frozen=True)
class Group:
    """One root complex: what is behind its switch and what behind root ports of its own."""

    switched: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    numa: int = 0


@st.composite
def groups(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> tuple[Group, ...]:
    """Draw the groups of a host that has a GPU and a usable NIC, and ten NICs at most."""
    some = st.lists(st.sampled_from(kinds), max_size=3).map(tuple)
    drawn = draw(st.lists(st.tuples(some, some), min_size=1, max_size=4))
    nodes = draw(st.integers(1, 2))
    made = [
        Group(switched, direct, min(index * nodes // len(drawn), nodes - 1))
        for index, (switched, direct) in enumerate(drawn)
    ]
    made[0] = replace(made[0], direct=(*made[0].direct, "nic"))
    made[-1] = replace(made[-1], direct=(*made[-1].direct, "gpu"))
    total = sum(kind != "gpu" for each in made for kind in (*each.switched, *each.direct))
    return tuple(made) if total <= 10 else _few(made)


def _few(made: list[Group]) -> tuple[Group, ...]:
    return tuple(
        replace(each, switched=each.switched[:1], direct=each.direct[-1:]) for each in made
    )


def host_of(parts: tuple[Group, ...], names: dict[int, str] | None = None) -> Host:
    """Return the host; NICs are mlx5_0, mlx5_1, ... in bus order unless `names` says otherwise."""
    buses = count(0x10)
    nics = count()

    def device(kind: str) -> Function:
        address = f"0000:{next(buses):02x}:00.0"
        if kind == "gpu":
            return gpu(address)
        index = next(nics)
        name = (names or {}).get(index, f"mlx5_{index}")
        state = "DOWN" if kind == "down" else "ACTIVE"
        return mlx5(address, name, Port(state=state, rate=10.0 if kind == "slow" else 400.0))

    roots = []
    for part in parts:
        bus = next(buses)
        children = [
            bridge(f"0000:{bus:02x}:{slot + 1:02x}.0", device(kind))
            for slot, kind in enumerate(part.direct)
        ]
        if part.switched:
            inner = next(buses)
            ports = [
                bridge(f"0000:{inner + 0x80:02x}:{slot:02x}.0", device(kind))
                for slot, kind in enumerate(part.switched)
            ]
            switch = bridge(f"0000:{inner:02x}:00.0", *ports)
            children.append(bridge(f"0000:{bus:02x}:1e.0", switch))
        roots.append(Root(f"pci0000:{bus:02x}", tuple(children), part.numa))
    nodes = tuple(sorted({part.numa for part in parts}))
    return Host(tuple(roots), numa_nodes=nodes)


def nic_kinds(parts: tuple[Group, ...]) -> list[str]:
    """Return the kind of every NIC in the order of `host_of`'s numbering."""
    order = [kind for part in parts for kind in (*part.direct, *part.switched)]
    return [kind for kind in order if kind != "gpu"]
