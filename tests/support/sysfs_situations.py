# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Situations from public bug reports: hosts, the NICs that are right there, and why.

Addresses and names are made up; `source` says where the situation was reported.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sysfs_machines import two_sockets
from sysfs_trees import (
    Function,
    Host,
    Net,
    Port,
    Rdma,
    Root,
    Tree,
    bridge,
    efa,
    gpu,
    kernel_link,
    mlx5,
    roce,
    write,
)


@dataclass(frozen=True)
class Situation:
    """A host with what `stripe=all` must take there.

    nics: names of the NICs that are right; the others are excluded by `rule`, one or several
    ("fabric, state"), each of which excludes some. warning: a part of
    the one warning there, "" = none. change: what is done to the written tree. ceiling: the most
    that these NICs carry together from host memory, Gbit/s; None where nothing is odd about it.
    """

    name: str
    what: str
    source: str
    nics: tuple[str, ...]
    host: Callable[[], Host]
    rule: str = ""
    warning: str = ""
    change: Callable[[Tree], None] | None = None
    ceiling: float | None = None

    def write(self, folder: Path) -> Tree:
        """Write the host's tree."""
        tree = write(self.host(), folder)
        if self.change:
            self.change(tree)
        return tree


def address(index: int) -> str:
    """Return the PCI address of the NIC of that root of `two_sockets`."""
    return f"0000:{0x10 * (index + 1) + 1:02x}:00.0"


def named(stem: str, *indexes: int) -> tuple[str, ...]:
    """Return names that begin alike."""
    return tuple(f"{stem}{index}" for index in indexes)


def _infiniband(count: int, rate: float = 400.0, first: int = 0) -> list[Function]:
    return [
        mlx5(address(i), f"mlx5_{i}", Port(rate=rate, lid=i + 1))
        for i in range(first, first + count)
    ]


def ethernet(index: int, rate: float = 400.0) -> Function:
    """Return `mlx5_<index>`, a RoCE NIC with the interface `eth<index>` in a subnet of its own."""
    return roce(address(index), f"mlx5_{index}", f"eth{index}", rate=rate, subnet=index)


def with_gids(function: Function, *gids: str) -> Function:
    """Return a NIC of one port with other addresses; none: no interface either."""
    (device,) = function.rdma
    (port,) = device.ports
    netdev = port.netdev if gids else ""
    changed = replace(device, ports=(replace(port, gids=gids, netdev=netdev),))
    return replace(function, rdma=(changed,))


def of_card(function: Function, card: int) -> Function:
    """Return a NIC that is a part of the card of that number, as its GUID says."""
    (device,) = function.rdma
    return replace(function, rdma=(replace(device, sys_image_guid=f"b859:9f03:00ff:00{card}0"),))


def bonded(index: int, *more: Function) -> Root:
    """Return a card whose two ports are one RoCE LAG device, and a GPU beside it."""
    bus = 0x10 * (index + 1)
    gids = (
        "fe80:0000:0000:0000:0000:00ff:fe00:0001",
        f"0000:0000:0000:0000:0000:ffff:0a00:{index:02x}01",
    )
    lag = Port(link_layer="Ethernet", rate=200.0, lid=0, netdev=f"bond{index}", gids=gids)
    ports = [
        Function(f"0000:{bus + 1:02x}:00.{half}", 0x020000, 0x15B3, 0x101D, "mlx5_core",
                 rdma=(Rdma(f"mlx5_bond_{index}", (lag,)),) if half == 0 else (),
                 nets=(Net(f"ens{index}f{half}", speed=100000, master=f"bond{index}"),))
        for half in (0, 1)
    ]  # fmt: skip
    accelerator = bridge(f"0000:{bus:02x}:03.0", gpu(f"0000:{bus + 8:02x}:00.0"))
    slot = bridge(f"0000:{bus:02x}:01.0", *ports, *more)
    return Root(f"pci0000:{bus:02x}", (slot, accelerator), numa=index // 2)


def bonds(*roots: Root) -> Host:
    """Return the host of such cards."""
    masters = tuple(Net(f"bond{index}", speed=200000) for index in range(4))
    return Host(roots, numa_nodes=(0, 1), bonds=masters)


def _bonds_with_functions() -> Host:
    return bonds(
        *(
            bonded(i, *(
                roce(f"{address(i)[:-1]}{vf + 2}", f"mlx5_{4 * i + vf}", f"vf{4 * i + vf}",
                     rate=200.0, subnet=4 * i + vf, physfn=address(i))
                for vf in range(4)
            ))
            for i in range(4)
        )
    )  # fmt: skip


def _bonds_and_management() -> Host:
    host = bonds(*(bonded(i) for i in range(4)))
    slow = bridge("0000:a0:01.0", roce("0000:a1:00.0", "mlx5_0", "mgmt0", rate=25.0))
    return replace(host, roots=(*host.roots, Root("pci0000:a0", (slow,))))


def _other_vendor(index: int, name: str, driver: str, vendor: int, node_type: str) -> Function:
    made = roce(address(index), name, f"ens{index}", rate=100.0, subnet=index)
    device = replace(made.rdma[0], node_type=node_type)
    return replace(made, vendor=vendor, driver=driver, rdma=(device,))


def _omni_path(index: int) -> Function:
    port = Port(rate=100.0, lid=3)
    return Function(
        address(index), 0x020800, 0x8086, 0x24F0, "hfi1", rdma=(Rdma("hfi1_0", (port,)),)
    )


def _narrow(function: Function) -> Function:
    return replace(function, speed="8.0 GT/s PCIe", width=4)


def _take_interfaces_away(tree: Tree, *indexes: int) -> None:
    """Move interfaces into another network namespace: only ndevs still names them."""
    for name in named("eth", *indexes):
        (tree.sys / "class/net" / name).unlink()
        for folder in list((tree.sys / "devices").rglob(f"net/{name}")):
            shutil.rmtree(folder)


def _add_subfunctions(tree: Tree) -> None:
    """Give each of two functions two scalable functions (auxiliary devices below it)."""
    for card in range(2):
        function = (tree.sys / "bus/pci/devices" / address(card)).resolve()
        original = (tree.sys / "class/infiniband" / f"mlx5_{card}").resolve()
        for half in range(2):
            number = 2 + 2 * card + half
            device = function / f"mlx5_core.sf.{number}/infiniband/mlx5_{number}"
            device.mkdir(parents=True)
            shutil.copytree(original / "ports", device / "ports")
            kernel_link(device / "device", device.parents[1])
            kernel_link(tree.sys / "class/infiniband" / device.name, device)
            verbs = device.parents[1] / f"infiniband_verbs/uverbs{number}"
            verbs.mkdir(parents=True)
            (verbs / "ibdev").write_text(f"{device.name}\n")
            kernel_link(tree.sys / "class/infiniband_verbs" / verbs.name, verbs)
            (tree.dev / "infiniband" / verbs.name).touch()


def _hide_first_gids(tree: Tree) -> None:
    """Put the own addresses at slots 6 and 7, behind those of other network namespaces."""
    for device in sorted((tree.sys / "class/infiniband").iterdir()):
        gids, ndevs = device / "ports/1/gids", device / "ports/1/gid_attrs/ndevs"
        own = [(gids / slot).read_text() for slot in ("0", "1")]
        netdev = (ndevs / "0").read_text()
        for slot in ("0", "1"):
            (gids / slot).write_text((gids / "2").read_text())
            (ndevs / slot).unlink()
        for slot, gid in zip(("6", "7"), own, strict=True):
            (gids / slot).write_text(gid)
            (ndevs / slot).write_text(netdev)


LINK_LOCAL = "fe80:0000:0000:0000:0000:00ff:fe00:0001"

SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "all bonds", "every RoCE NIC is a LAG, nothing else is there",
        "dynamo 1209, sglang 3685, DeepEP 106, nccl 2150",
        named("mlx5_bond_", 0, 1, 2, 3), lambda: bonds(*(bonded(i) for i in range(4))),
    ),
    Situation(
        "bonds and virtual functions", "the bonded functions have VFs", "sglang 3685",
        named("mlx5_bond_", 0, 1, 2, 3), _bonds_with_functions, "shared-port",
    ),
    Situation(
        "bonds and a management NIC", "the only NIC without a bond is slow", "a variant of these",
        named("mlx5_bond_", 0, 1, 2, 3), _bonds_and_management, "rate",
    ),
    Situation(
        "bonded second port", "InfiniBand, and a RoCE port that is in a bond", "ompi 9881",
        ("mlx5_0",),
        lambda: replace(
            two_sockets(
                *_infiniband(1, 100.0),
                roce(address(1), "mlx5_1", "eth1", rate=100.0, master="bond0"),
                gpus=2,
            ),
            bonds=(Net("bond0", speed=25000),),
        ),
        "bond",
    ),
    Situation(
        "no addresses", "RoCE ports with a GID table of zeros, as in a pod",
        "smg 1691, ucx 11820, calico 8482",
        (), lambda: two_sockets(*(with_gids(ethernet(i)) for i in range(4))),
        "address", "no usable NIC",
    ),
    Situation(
        "some without addresses", "two of four RoCE ports have none", "a variant of that",
        named("mlx5_", 0, 1),
        lambda: two_sockets(
            *(ethernet(i) if i < 2 else with_gids(ethernet(i)) for i in range(4))
        ),
        "address",
    ),
    Situation(
        "link-local only", "RoCE ports whose interfaces have no address",
        "dynamo 814, nccl-tests 327",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(*(with_gids(ethernet(i), LINK_LOCAL) for i in range(4))),
        warning="link-local addresses only",
    ),
    Situation(
        "interfaces elsewhere", "interfaces of two NICs are in another network namespace",
        "nccl-tests 327, smg 2520",
        named("mlx5_", 0, 1), lambda: two_sockets(*(ethernet(i) for i in range(4))),
        "namespace", change=lambda tree: _take_interfaces_away(tree, 2, 3),
    ),
    Situation(
        "every interface elsewhere", "there is no NIC whose interface is here", "a variant of that",
        named("mlx5_", 0, 1, 2, 3), lambda: two_sockets(*(ethernet(i) for i in range(4))),
        warning="(eth2), mlx5_3:1 (eth3): the interface is in another network namespace",
        change=lambda tree: _take_interfaces_away(tree, 0, 1, 2, 3),
    ),
    Situation(
        "addresses behind free slots", "own GIDs start at slot 6", "nccl 890, nccl 1427",
        named("mlx5_", 0, 1, 2, 3), lambda: two_sockets(*(ethernet(i) for i in range(4))),
        change=_hide_first_gids,
    ),
    Situation(
        "EFA and InfiniBand", "four EFA and two InfiniBand NICs of one rate",
        "ai-dynamo/nixl, topology file of p6-b200",
        named("rdmap", 0, 1, 2, 3),
        lambda: two_sockets(
            *(efa(address(i), f"rdmap{i}", rate=400.0) for i in range(4)), *_infiniband(2, first=4)
        ),
        "fabric",
    ),
    Situation(
        "narrow InfiniBand beside EFA", "as many InfiniBand NICs, on x4 links",
        "ai-dynamo/nixl, topology file of p6-b200",
        named("rdmap", 0, 1),
        lambda: two_sockets(
            *(efa(address(i), f"rdmap{i}", rate=400.0) for i in range(2)),
            *(_narrow(nic) for nic in _infiniband(2, first=2)),
        ),
        "fabric",
    ),
    Situation(
        "InfiniBand and BlueField", "four InfiniBand and two Ethernet NICs of one rate",
        "dynamo 10852, ngc_multinode_perf 129",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(*_infiniband(4), ethernet(4), ethernet(5)),
        "fabric",
    ),
    Situation(
        "storage on a subnet of its own", "four compute NICs and one of the same rate for storage",
        "a variant of that",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(
            *_infiniband(4),
            with_gids(_infiniband(1, first=4)[0], "fec0:0000:0000:0007:0000:00ff:fe00:0005"),
        ),
        "fabric", "subnet fec0:0000:0000:0007 (mlx5_4:1) is left out",
    ),
    Situation(
        "Omni-Path and InfiniBand", "two fabrics with the same link layer and rate", "ucx 10929",
        named("mlx5_", 0, 1), lambda: two_sockets(*_infiniband(2, 100.0), _omni_path(2)),
        "fabric",
    ),
    Situation(
        "faster front end", "four compute NICs of 200 Gbit/s, a front-end NIC of 400",
        "monarch 1832, Mooncake 1974",
        named("mlx5_", 0, 1, 2, 3), lambda: two_sockets(*_infiniband(4, 200.0), ethernet(4)),
        "fabric",
    ),
    Situation(
        "faster front end, one fabric", "the same, all of them RoCE", "a variant of that",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(*(ethernet(i, 200.0) for i in range(4)), ethernet(4)),
        "rate",
    ),
    Situation(
        "iWARP", "Intel NICs in iWARP mode", "ucx 2507, ompi 7861",
        (), lambda: two_sockets(
            *(_other_vendor(i, f"iwp{i}", "ice", 0x8086, "4: RNIC") for i in range(2)), gpus=2
        ),
        "transport", "no usable NIC",
    ),
    Situation(
        "eRDMA", "Alibaba's adapters, which are iWARP", "ucx 9736",
        (), lambda: two_sockets(
            *(_other_vendor(i, f"erdma_{i}", "erdma", 0x1DED, "4: RNIC") for i in range(2)), gpus=2
        ),
        "transport", "no usable NIC",
    ),
    Situation(
        "usNIC", "Cisco adapters with usNIC", "hwloc, 16intel64-manyVFs",
        (), lambda: two_sockets(
            *(_other_vendor(i, f"usnic_{i}", "enic", 0x1137, "6: usNIC UDP") for i in range(2)),
            gpus=2,
        ),
        "transport", "no usable NIC",
    ),
    Situation(
        "scalable functions", "two scalable functions on each of two functions", "ucx 11820",
        named("mlx5_", 0, 1),
        lambda: two_sockets(*(ethernet(i, 200.0) for i in range(2)), gpus=2),
        "shared-port", change=_add_subfunctions,
    ),
    Situation(
        "four RoCE NICs", "nothing odd", "control",
        named("mlx5_", 0, 1, 2, 3), lambda: two_sockets(*(ethernet(i) for i in range(4))),
    ),
)  # fmt: skip
