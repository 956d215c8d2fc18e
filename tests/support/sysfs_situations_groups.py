# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Situations of mixed hosts: which NICs belong together, and which of the groups are taken."""

from __future__ import annotations

from dataclasses import replace

from sysfs_machines import two_sockets
from sysfs_situations import (
    LINK_LOCAL,
    Situation,
    address,
    bonded,
    bonds,
    ethernet,
    named,
    of_card,
    with_gids,
)
from sysfs_situations_planes import lost
from sysfs_trees import (
    Function,
    Host,
    Net,
    Port,
    Rdma,
    Root,
    SoftRdma,
    bridge,
    efa,
    gpu,
    mlx5,
    roce,
)

A, B = "fec0:0000:0000:000a", "fec0:0000:0000:000b"
FABRIC = "fe80:0000:0000:0000"


def _port(index: int, number: int = 1, rate: float = 400.0, subnet: str = FABRIC) -> Port:
    gid = f"{subnet}:0000:00ff:fe0{number}:{index:04x}"
    return Port(number, rate=rate, lid=10 * index + number, gids=(gid,))


def _infiniband(index: int, *ports: Port, rate: float = 400.0, subnet: str = FABRIC) -> Function:
    each = ports or (_port(index, rate=rate, subnet=subnet),)
    return mlx5(address(index), f"mlx5_{index}", *each)


def _roce_port(index: int, number: int, rate: float) -> Port:
    gids = (LINK_LOCAL, f"0000:0000:0000:0000:0000:ffff:c0a8:{index:02x}01")
    return Port(number, "ACTIVE", "Ethernet", rate, 0, gids, f"eth{index}")


def _vpi(index: int, *ports: Port) -> Function:
    return mlx5(address(index), f"mlx5_{index}", *ports, nets=(Net(f"eth{index}", speed=100000),))


def _broadcom(index: int) -> Function:
    made = roce(address(index), f"bnxt_re{index}", f"ens{index}np0", subnet=index)
    return replace(made, vendor=0x14E4, device=0x1760, driver="bnxt_en")


def _beside_bonds(nic: Function) -> Host:
    host = bonds(*(bonded(i) for i in range(4)))
    return replace(host, roots=(*host.roots, Root("pci0000:a0", (bridge("0000:a0:01.0", nic),))))


def _member(index: int, bond: int, rate: float = 400.0) -> Function:
    return roce(address(index), f"mlx5_{index}", f"eth{index}", rate=rate, subnet=index,
                master=f"bond{bond}")  # fmt: skip


def _active_backup() -> Host:
    """Two bonds without a LAG device: the addresses are those of one member each."""
    nics = [_member(i, i // 2) for i in range(4)]
    host = two_sockets(
        *(nic if i % 2 else with_gids(nic, LINK_LOCAL) for i, nic in enumerate(nics))
    )
    return replace(host, bonds=(Net("bond0", speed=400000), Net("bond1", speed=400000)))


def _plain_and_members() -> Host:
    nics = [ethernet(i, 200.0) for i in range(4)] + [_member(4, 0, 200.0), _member(5, 0, 200.0)]
    return replace(two_sockets(*nics, gpus=6), bonds=(Net("bond0", speed=400000),))


def _with_soft_roce(*nics: Function) -> Host:
    port = Port(link_layer="Ethernet", rate=400.0, lid=0, netdev="mgmt0",
                gids=(LINK_LOCAL, "0000:0000:0000:0000:0000:ffff:0a00:0001"))  # fmt: skip
    host = two_sockets(*nics)
    return replace(host, soft=(SoftRdma(Rdma("rxe0", (port,)), "mgmt0"),),
                   virtual_nets=(*host.virtual_nets, Net("mgmt0", speed=400000)))  # fmt: skip


def _with_aside(computes: tuple[Function, ...], aside: tuple[Function, ...]) -> Host:
    """Give each of the first NICs a GPU, and the others root complexes without one."""
    return two_sockets(*computes, *aside, gpus=len(computes))


def _gpu_alone() -> Host:
    host = _with_aside(
        tuple(_infiniband(i) for i in range(6)), tuple(_infiniband(i) for i in (6, 7))
    )
    alone = Root("pci0000:a0", (bridge("0000:a0:03.0", gpu("0000:a8:00.0")),), numa=1)
    return replace(host, roots=(*host.roots, alone))


GROUP_SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "storage of the compute rate", "eight NICs near a GPU each, two like them near none",
        "DGX H100's slots, a variant",
        named("mlx5_", *range(8)),
        lambda: _with_aside(
            tuple(_infiniband(i) for i in range(8)), tuple(_infiniband(i) for i in (8, 9))
        ),
        "aside",
    ),
    Situation(
        "RoCE storage of the compute rate", "the same with RoCE, and one compute NIC is down",
        "a variant of that",
        named("mlx5_", *range(7)),
        lambda: _with_aside(
            (*(ethernet(i) for i in range(7)), lost(ethernet(7))), (ethernet(8), ethernet(9)),
        ),
        "aside, state",
    ),
    Situation(
        "slower storage", "eight NICs near a GPU each, two of another rate near none",
        "a variant of that",
        named("mlx5_", *range(8)),
        lambda: _with_aside(
            tuple(_infiniband(i) for i in range(8)),
            tuple(_infiniband(i, rate=200.0) for i in (8, 9)),
        ),
        "rate",
    ),
    Situation(
        "as many NICs near no GPU", "four NICs near a GPU each, four like them near none",
        "a variant of that",
        named("mlx5_", *range(8)),
        lambda: _with_aside(
            tuple(_infiniband(i) for i in range(4)), tuple(_infiniband(i) for i in range(4, 8))
        ),
    ),
    Situation(
        "a GPU without a NIC", "six NICs near six of eight GPUs, two near none",
        "a variant of that",
        named("mlx5_", *range(8)), _gpu_alone,
    ),
    Situation(
        "one interface without an address", "link-local only, where three others have addresses",
        "a variant of link-local only",
        named("mlx5_", 0, 1, 2),
        lambda: two_sockets(
            *(ethernet(i) for i in range(3)), with_gids(ethernet(3), LINK_LOCAL)
        ),
        "link-local",
    ),
    Situation(
        "one interface with an address", "the other three have link-local ones",
        "a variant of that",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(
            ethernet(0), *(with_gids(ethernet(i), LINK_LOCAL) for i in (1, 2, 3))
        ),
        warning="link-local addresses only",
    ),
    Situation(
        "Socket Direct beside Ethernet", "four devices with two cables, three NICs with one each",
        "a variant of Socket Direct",
        named("mlx5_", 4, 5, 6),
        lambda: two_sockets(
            *(of_card(_infiniband(i, rate=200.0), i // 2) for i in range(4)),
            *(ethernet(i, 200.0) for i in (4, 5, 6)),
            gpus=0,
        ),
        "fabric",
    ),
    Situation(
        "bonds and storage", "four bonds near GPUs, one NIC without a bond, of their rate",
        "a variant of all bonds",
        named("mlx5_bond_", 0, 1, 2, 3),
        lambda: _beside_bonds(roce("0000:a1:00.0", "mlx5_9", "stor0", rate=200.0, subnet=9)),
        "no-bond",
    ),
    Situation(
        "bonds and InfiniBand storage", "the same with an InfiniBand NIC", "a variant of that",
        named("mlx5_bond_", 0, 1, 2, 3),
        lambda: _beside_bonds(mlx5("0000:a1:00.0", "mlx5_9", Port(rate=200.0))),
        "fabric",
    ),
    Situation(
        "bonds and a faster front end", "the same with a faster NIC of another vendor",
        "a variant of that",
        named("mlx5_bond_", 0, 1, 2, 3), lambda: _beside_bonds(replace(
            roce("0000:a1:00.0", "bnxt_re0", "front0", rate=400.0, subnet=9), vendor=0x14E4,
            device=0x1760, driver="bnxt_en",
        )),
        "fabric",
    ),
    Situation(
        "compute NICs and a bond", "four NICs, and two of their rate that are in a bond",
        "a variant of bonded second port",
        named("mlx5_", 0, 1, 2, 3), _plain_and_members, "bond",
    ),
    Situation(
        "bonds of two cards", "active-backup without a LAG: one member of each has the addresses",
        "a variant of all bonds",
        named("mlx5_", 1, 3), _active_backup, "bond-member",
    ),
    Situation(
        "ports of two kinds", "two devices have Ethernet on port 1 and InfiniBand on port 2",
        "a variant of InfiniBand and BlueField",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(
            *(_vpi(i, _roce_port(i, 1, 100.0), _port(i, 2, 100.0)) for i in range(2)),
            *(_infiniband(i, rate=100.0) for i in (2, 3)),
        ),
    ),
    Situation(
        "slow InfiniBand beside fast Ethernet", "on the ports of one device, three others",
        "a variant of that",
        named("mlx5_", 1, 2, 3),
        lambda: two_sockets(
            _vpi(0, _port(0, 1, 40.0), _roce_port(0, 2, 100.0)),
            *(_infiniband(i, rate=100.0) for i in (1, 2, 3)),
        ),
        "rate",
    ),
    Situation(
        "ports in two subnets", "the fast port of a device is in the storage's subnet",
        "a variant of storage on a subnet of its own",
        named("mlx5_", 1, 2, 3),
        lambda: two_sockets(
            _infiniband(0, _port(0, 1, 100.0, A), _port(0, 2, 400.0, B)),
            *(_infiniband(i, subnet=A) for i in (1, 2, 3)),
        ),
        "rate",
    ),
    Situation(
        "rails and storage", "four NICs with a subnet each, two in the storage's",
        "a variant of that",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(
            *(_infiniband(i, subnet=f"fec0:0000:0000:000{i}") for i in range(4)),
            *(_infiniband(i, subnet=A) for i in (4, 5)),
        ),
        "fabric", f"subnet {A} (mlx5_4:1, mlx5_5:1) is left out",
    ),
    Situation(
        "rails and slow storage", "the same with five slow NICs for storage", "a variant of that",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(
            *(_infiniband(i, subnet=f"fec0:0000:0000:000{i}") for i in range(4)),
            *(_infiniband(i, rate=100.0, subnet=A) for i in range(4, 9)),
        ),
        "fabric",
    ),
    Situation(
        "two vendors and Soft-RoCE", "a software device on the management interface too",
        "a variant of two vendors",
        named("mlx5_", 0, 1, 2, 3),
        lambda: _with_soft_roce(*(ethernet(i) for i in range(4)), _broadcom(4), _broadcom(5)),
        "fabric",
    ),
    Situation(
        "front ends of many rates", "one fast and five slow Ethernet NICs, four InfiniBand ones",
        "a variant of faster front end",
        named("mlx5_", 0, 1, 2, 3),
        lambda: two_sockets(
            *(_infiniband(i, rate=200.0) for i in range(4)),
            ethernet(4), *(ethernet(i, 100.0) for i in range(5, 10)), gpus=10,
        ),
        "fabric",
    ),
    Situation(
        "as much on both fabrics", "two InfiniBand and two Ethernet NICs, GPUs near each",
        "a variant of that",
        named("mlx5_", 2, 3),
        lambda: two_sockets(*(ethernet(i) for i in range(2)), *(_infiniband(i) for i in (2, 3))),
        "fabric",
    ),
    Situation(
        "as much of both vendors", "two ConnectX and two Broadcom NICs, GPUs near each",
        "a variant of two vendors",
        ("bnxt_re0", "bnxt_re1"),
        lambda: two_sockets(*(_broadcom(i) for i in range(2)), *(ethernet(i) for i in (2, 3))),
        "fabric",
    ),
    Situation(
        "three fabrics", "four EFA, two InfiniBand and two Ethernet NICs of one rate",
        "a variant of EFA and InfiniBand",
        named("rdmap", 0, 1, 2, 3),
        lambda: two_sockets(
            *(efa(address(i), f"rdmap{i}", rate=400.0) for i in range(4)),
            *(_infiniband(i) for i in (4, 5)), *(ethernet(i) for i in (6, 7)),
        ),
        "fabric",
    ),
)  # fmt: skip
