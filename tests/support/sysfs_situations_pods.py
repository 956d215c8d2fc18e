# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Situations of pods: functions whose interfaces are elsewhere, virtual ones that are here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

from sysfs_situations import (
    LINK_LOCAL,
    Situation,
    address,
    bonded,
    bonds,
    ethernet,
    named,
    with_gids,
)
from sysfs_trees import Function, Host, Net, Root, Tree, bridge, gpu, kernel_link, roce


def virtual(card: int, number: int = 10, function: int = 0, slot: int = 2) -> Function:
    """Return a virtual function of that function of a card, with its interface here."""
    physical = f"{address(card)[:-1]}{function}"
    made = roce(f"{address(card)[:-1]}{slot}", f"mlx5_{number + card}", f"net{number + card}",
                rate=400.0, subnet=number + card, physfn=physical)  # fmt: skip
    return replace(made, device=0x101E)


def _card(index: int, *functions: Function) -> Root:
    bus = 0x10 * (index + 1)
    accelerator = bridge(f"0000:{bus:02x}:03.0", gpu(f"0000:{bus + 8:02x}:00.0"))
    slot = bridge(f"0000:{bus:02x}:01.0", *functions)
    return Root(f"pci0000:{bus:02x}", (slot, accelerator), numa=index // 2)


def _cards(*cards: Root) -> Host:
    return Host(cards, numa_nodes=(0, 1))


def take_away(*names: str) -> Callable[[Tree], None]:
    """Return what moves these interfaces into another network namespace: ndevs names them still."""

    def change(tree: Tree) -> None:
        for name in names:
            where = (tree.sys / "class/net" / name).resolve()
            (tree.sys / "class/net" / name).unlink()
            shutil.rmtree(where)

    return change


def _macvlans(tree: Tree) -> None:
    """Put a macvlan with an address of its own over each port, whose interface goes away."""
    for index in range(4):
        port = tree.sys / f"class/infiniband/mlx5_{index}/ports/1"
        own = (LINK_LOCAL, f"0000:0000:0000:0000:0000:ffff:0a0a:{index:02x}05")
        for slot, gid in enumerate(own, start=2):
            (port / "gids" / str(slot)).write_text(f"{gid}\n")
            (port / "gid_attrs/ndevs" / str(slot)).write_text(f"net{index}\n")
    take_away(*named("eth", 0, 1, 2, 3))(tree)


def _own_interface(*names: str) -> Callable[[Tree], None]:
    """Return what takes these away and puts the pod's own veth in the place of the first."""

    def change(tree: Tree) -> None:
        take_away(*names)(tree)
        where = tree.sys / "devices/virtual/net" / names[0]
        where.mkdir(parents=True)
        texts = {"operstate": "up", "flags": "0x1003", "type": "1", "speed": "10000",
                 "uevent": f"INTERFACE={names[0]}\nIFINDEX=3"}  # fmt: skip
        for name, text in texts.items():
            (where / name).write_text(f"{text}\n")
        kernel_link(tree.sys / "class/net" / names[0], where)

    return change


def _renamed(tree: Tree) -> None:
    """Call the pod's virtual function of the first card as the second card's interface is."""
    _own_interface("eth0", "eth1")(tree)
    take_away("net11")(tree)
    old = tree.sys / "class/net/net10"
    where = old.resolve().rename(old.resolve().with_name("eth1"))
    old.unlink()
    kernel_link(tree.sys / "class/net/eth1", where)
    for ndev in (tree.sys / "class/infiniband/mlx5_10/ports/1/gid_attrs/ndevs").iterdir():
        ndev.write_text("eth1\n")


def _each_with_a_function(count: int) -> Host:
    """Return cards whose port has one virtual function."""
    return _cards(*(_card(i, ethernet(i), virtual(i)) for i in range(count)))


def _pods_own(*names: str) -> tuple[Net, ...]:
    return (Net("lo", mtu=65536, arp_type=772), *(Net(name, mtu=9000) for name in names))


POD_SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "pod with virtual functions", "the functions' interfaces stay in the host's namespace",
        "a variant of interfaces elsewhere",
        named("mlx5_", 10, 11, 12, 13),
        lambda: _each_with_a_function(4),
        "namespace", change=take_away(*named("eth", 0, 1, 2, 3)),
    ),
    Situation(
        "pod with some virtual functions", "four cards, and virtual functions of two are the pod's",
        "a variant of that",
        named("mlx5_", 10, 12),
        lambda: _cards(*(
            _card(i, ethernet(i), *([virtual(i)] if i in (0, 2) else [])) for i in range(4)
        )),
        "namespace", change=take_away(*named("eth", 0, 1, 2, 3)),
    ),
    Situation(
        "pod with one of many virtual functions", "each card has four, and one is the pod's",
        "a variant of that",
        named("mlx5_", 30, 31),
        lambda: _cards(*(
            _card(i, ethernet(i), *(virtual(i, 10 * slot, slot=slot) for slot in range(1, 5)))
            for i in range(2)
        )),
        "namespace",
        change=take_away("eth0", "eth1", *named("net", 10, 11, 20, 21, 40, 41)),
    ),
    Situation(
        "functions without addresses", "addresses are with the virtual functions",
        "a variant of that",
        named("mlx5_", 10, 11, 12, 13),
        lambda: _cards(*(
            _card(i, with_gids(ethernet(i), LINK_LOCAL), virtual(i)) for i in range(4)
        )),
        "shared-port",
    ),
    Situation(
        "pod with virtual functions of bonds", "a virtual function of each port of two bonds",
        "a variant of that",
        named("mlx5_", 10, 11, 20, 21),
        lambda: replace(
            bonds(*(
                bonded(i, virtual(i), virtual(i, 20, function=1, slot=3)) for i in range(2)
            )), bonds=tuple(Net(name, speed=200000) for name in named("bond", 0, 1)),
        ),
        "namespace",
        change=take_away("bond0", "bond1", "ens0f0", "ens0f1", "ens1f0", "ens1f1"),
    ),
    Situation(
        "bonds and virtual functions of second ports", "the LAG's second function has the VFs",
        "a variant of bonds and virtual functions",
        named("mlx5_bond_", 0, 1, 2, 3),
        lambda: bonds(*(
            bonded(i, virtual(i, function=1, slot=4), virtual(i, 20, function=1, slot=5))
            for i in range(4)
        )),
        "shared-port",
    ),
    Situation(
        "pod whose veth has a NIC's name", "the host calls the first function's interface eth0 too",
        "a variant of pod with some virtual functions",
        named("mlx5_", 10, 11, 12, 13),
        lambda: _each_with_a_function(4),
        "namespace", change=_own_interface(*named("eth", 0, 1, 2, 3)),
    ),
    Situation(
        "pod whose NIC has another's name", "a virtual function is called as a NIC of the host is",
        "a variant of that",
        ("mlx5_10",), lambda: _each_with_a_function(2),
        "namespace", change=_renamed,
    ),
    Situation(
        "pod with its own NICs beside a veth", "two of four functions are the pod's",
        "a variant of that",
        named("mlx5_", 2, 3), lambda: _cards(*(_card(i, ethernet(i)) for i in range(4))),
        "namespace", change=_own_interface("eth0", "eth1"),
    ),
    Situation(
        "pod with macvlans", "the ports' own interfaces are elsewhere, macvlans over them are here",
        "nccl 890",
        named("mlx5_", 0, 1, 2, 3),
        lambda: replace(
            _cards(*(_card(i, ethernet(i)) for i in range(4))),
            virtual_nets=_pods_own(*named("net", 0, 1, 2, 3)),
        ),
        change=_macvlans,
    ),
)  # fmt: skip
