# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""More situations from public reports: ports that several devices share, links, vendors."""

from __future__ import annotations

from dataclasses import replace

from sysfs_machines import two_sockets
from sysfs_situations import SITUATIONS, Situation, address, of_card
from sysfs_situations_groups import GROUP_SITUATIONS
from sysfs_situations_planes import PLANE_SITUATIONS
from sysfs_situations_pods import POD_SITUATIONS
from sysfs_trees import Function, Host, Port, Root, bridge, gpu, mlx5, roce


def _names(count: int, stem: str = "mlx5_") -> tuple[str, ...]:
    return tuple(f"{stem}{index}" for index in range(count))


def _infiniband(index: int, rate: float = 400.0) -> Function:
    return mlx5(address(index), f"mlx5_{index}", Port(rate=rate, lid=index + 1))


def _ethernet(index: int) -> Function:
    return roce(address(index), f"mlx5_{index}", f"eth{index}", subnet=index)


def _second_port(index: int) -> Function:
    card, half = divmod(index, 2)
    port = Port(rate=100.0, lid=index + 1)
    return of_card(mlx5(f"{address(card)[:-1]}{half}", f"mlx5_{index}", port), card)


def _broadcom(index: int) -> Function:
    made = roce(address(index), f"bnxt_re{index}", f"ens{index}np0", subnet=index)
    return replace(made, vendor=0x14E4, device=0x1760, driver="bnxt_en")


def _dgx_spark(*, has_number: bool = True) -> Host:
    """Two QSFP ports, each of them a function of both PCIe links of the card; one has no cable."""
    roots = []
    for domain, part, subnet in (("0000", "", 1), ("0002", "P2", 2)):
        ports = [
            roce(f"{domain}:01:00.{k}", f"roce{part}p1s0f{k}", f"en{part}p1s0f{k}np{k}",
                 rate=200.0, up=k == 0, subnet=subnet)
            for k in range(2)
        ]  # fmt: skip
        functions = [
            of_card(replace(port, width=4), 1) if has_number else replace(port, width=4)
            for port in ports
        ]
        slot = replace(bridge(f"{domain}:00:00.0", *functions), width=4)
        roots.append(Root(f"pci{domain}:00", (slot,), numa=0))
    accelerator = bridge("000f:00:00.0", gpu("000f:01:00.0", device=0x2E12))
    return Host((*roots, Root("pci000f:00", (accelerator,), numa=0)), numa_nodes=(0,))


def _one_link(speed: str, width: int) -> Host:
    nics = [_infiniband(i) for i in range(4)]
    return two_sockets(*nics[:3], replace(nics[3], speed=speed, width=width))


def _passed_through() -> Host:
    host = two_sockets(*(of_card(_infiniband(i), i // 2) for i in range(4)))
    slots = [
        replace(root, children=tuple(replace(each, vendor=0x1B36) for each in root.children))
        for root in host.roots
    ]
    return replace(host, roots=tuple(slots))


def _narrow_uplink() -> Host:
    host = two_sockets(*(_infiniband(i) for i in range(3)))
    nic = mlx5("0000:93:00.0", "mlx5_3", Port(lid=4))
    switch = bridge("0000:91:00.0", bridge("0000:92:00.0", nic))
    top = replace(bridge("0000:90:01.0", switch, speed="8.0 GT/s PCIe"), width=4)
    return replace(host, roots=(*host.roots, Root("pci0000:90", (top,), numa=1)))


PORT_SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "Socket Direct", "two cards, each of them in two slots: four devices, two cables",
        "nccl 307",
        _names(4), lambda: two_sockets(
            *(of_card(_infiniband(i, 100.0), i // 2) for i in range(4))
        ),
        ceiling=200.0,
    ),
    Situation(
        "two cards of two ports", "functions of one card with a cable each", "a variant of that",
        _names(4),
        lambda: two_sockets(*(_second_port(i) for i in range(4))),
        ceiling=400.0,
    ),
    Situation(
        "DGX Spark", "one QSFP port as a device on each of two narrow links",
        "dgx-spark-playbooks 102",
        ("roceP2p1s0f0", "rocep1s0f0"), _dgx_spark, "state", ceiling=200.0,
    ),
    Situation(
        "DGX Spark without the card's number", "the same where `sys_image_guid` is not visible",
        "a variant of that",
        ("roceP2p1s0f0", "rocep1s0f0"), lambda: _dgx_spark(has_number=False), "state",
        ceiling=200.0,
    ),
    Situation(
        "ports in a virtual machine", "two cards of two ports, each function in a slot of its own",
        "a variant of Socket Direct",
        _names(4), _passed_through, ceiling=1600.0,
    ),
    Situation(
        "narrow uplink", "the link above the switch of one of four NICs carries 32 of 400 Gbit/s",
        "a variant of one narrow link",
        _names(4), _narrow_uplink,
        warning="mlx5_3:1: the PCIe link of 0000:90:01.0 above it (8 GT/s x4) carries 32 of 400",
    ),
    Situation(
        "two vendors", "four ConnectX and two Broadcom NICs of one rate, all of them RoCE",
        "a variant of InfiniBand and BlueField",
        _names(4),
        lambda: two_sockets(*(_ethernet(i) for i in range(4)), _broadcom(4), _broadcom(5)),
        "fabric",
    ),
    Situation(
        "one narrow link", "the PCIe link of one of four NICs carries 32 of 400 Gbit/s",
        "ai-dynamo/nixl, topology file of p6-b200",
        _names(3), lambda: _one_link("8.0 GT/s PCIe", 4), "narrow-link", ceiling=1200.0,
    ),
    Situation(
        "one slow link", "the PCIe link of one of four NICs carries 126 of 400 Gbit/s",
        "nccl 307, dgx-spark-playbooks 108",
        _names(4), lambda: _one_link("8.0 GT/s PCIe", 16),
        warning="mlx5_3:1: its PCIe link (8 GT/s x16) carries 126 of its port's 400 Gbit/s",
    ),
)  # fmt: skip

EVERY_SITUATION: tuple[Situation, ...] = (
    *SITUATIONS,
    *PORT_SITUATIONS,
    *POD_SITUATIONS,
    *GROUP_SITUATIONS,
    *PLANE_SITUATIONS,
)
