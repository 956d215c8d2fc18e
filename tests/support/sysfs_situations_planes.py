# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Situations of fabrics with several subnets, and of fabrics with NICs that are down for a while.

Hosts of one cluster that lack different NICs must still choose the same fabric.
"""

from __future__ import annotations

from dataclasses import replace

from sysfs_machines import two_sockets
from sysfs_situations import Situation, address, ethernet, named
from sysfs_trees import Function, Host, Port, mlx5

A, B, C, D = (f"fec0:0000:0000:000{letter}" for letter in "abcd")
DEFAULT = "fe80:0000:0000:0000"
"""What the table of a port that is down says, whatever its subnet was."""


def plane_nic(index: int, subnet: str, rate: float = 400.0) -> Function:
    """Return the InfiniBand NIC `mlx5_<index>` in that subnet."""
    gid = f"{subnet}:0000:00ff:fe00:{index + 1:04x}"
    return mlx5(address(index), f"mlx5_{index}", Port(rate=rate, lid=index + 1, gids=(gid,)))


def lost(nic: Function, state: str = "DOWN") -> Function:
    """Return it with a port that is down: it says no rate that counts and no subnet."""
    (device,) = nic.rdma
    (port,) = device.ports
    gids = (f"{DEFAULT}:0000:00ff:fe00:0001",)
    down = replace(port, state=state, rate=10.0, lid=0, gids=gids)
    return replace(nic, rdma=(replace(device, ports=(down,)),))


def planes(*subnets: str, down: tuple[int, ...] = (), state: str = "DOWN") -> Host:
    """Return a host with a NIC in each of these subnets, some of them down."""
    nics = [plane_nic(i, subnet) for i, subnet in enumerate(subnets)]
    return two_sockets(*(lost(nic, state) if i in down else nic for i, nic in enumerate(nics)))


def _two_planes(change: dict[int, Function]) -> Host:
    nics = [plane_nic(i, (A, B)[i % 2]) for i in range(8)]
    return two_sockets(*(change.get(i, nic) for i, nic in enumerate(nics)))


def _both_fabrics(*down: int) -> Host:
    """Return four InfiniBand NICs, some of them down, and three Ethernet ones."""
    nics = [plane_nic(i, A) for i in range(4)]
    return two_sockets(
        *(lost(nic) if i in down else nic for i, nic in enumerate(nics)),
        *(ethernet(i) for i in (4, 5, 6)),
    )


PLANE_SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "two planes", "two NICs in each of two subnets", "a variant of rails and storage",
        named("mlx5_", 0, 1, 2, 3), lambda: planes(A, B, A, B),
    ),
    Situation(
        "two planes, one near GPUs", "four NICs in each of two subnets", "a variant of that",
        named("mlx5_", 0, 1, 2, 3, 4, 5, 6, 7),
        lambda: two_sockets(*(plane_nic(i, (B, A)[i // 4]) for i in range(8)), gpus=2),
    ),
    Situation(
        "two planes, a port down", "one of four NICs of a subnet has no link", "a variant of that",
        named("mlx5_", 0, 1, 2, 4, 5, 6, 7),
        lambda: planes(A, B, A, B, A, B, A, B, down=(3,)), "state",
    ),
    Situation(
        "two planes, ports in INIT", "three of four NICs of a subnet wait for a subnet manager",
        "a variant of that",
        named("mlx5_", 0, 1, 2, 4, 6),
        lambda: planes(A, B, A, B, A, B, A, B, down=(3, 5, 7), state="INIT"), "state",
    ),
    Situation(
        "two planes, a slow link", "one of eight NICs trained down to half its rate",
        "a variant of that",
        named("mlx5_", 0, 1, 2, 4, 5, 6, 7),
        lambda: _two_planes({3: plane_nic(3, B, 200.0)}), "rate",
    ),
    Situation(
        "two planes, a narrow slot", "the PCIe link of one of eight NICs has 8 lanes",
        "a variant of that",
        named("mlx5_", *range(8)),
        lambda: _two_planes({3: replace(plane_nic(3, B), width=8)}),
        warning="mlx5_3:1: its PCIe link",
    ),
    Situation(
        "rails of two NICs, a port down", "four subnets of two NICs each", "a variant of that",
        named("mlx5_", 0, 1, 2, 4, 5, 6, 7),
        lambda: planes(A, A, B, B, C, C, D, D, down=(3,)), "state",
    ),
    Situation(
        "rails, a slow link", "four NICs with a subnet each, one of them trained down",
        "a variant of that",
        named("mlx5_", 0, 1, 2),
        lambda: two_sockets(*(plane_nic(i, n, 400.0 if i < 3 else 200.0)
                              for i, n in enumerate((A, B, C, D)))),
        "rate",
    ),
    Situation(
        "rails, one with the default prefix", "four NICs with a subnet each", "a variant of that",
        named("mlx5_", 0, 1, 2, 3), lambda: planes(A, B, C, DEFAULT),
    ),
    Situation(
        "two planes and storage", "four NICs in each of two subnets, two in the storage's",
        "a variant of that",
        named("mlx5_", *range(8)), lambda: planes(A, B, A, B, A, B, A, B, C, C),
        "fabric", f"subnet {C} (mlx5_8:1, mlx5_9:1) is left out",
    ),
    Situation(
        "storage, a port down", "four compute NICs, one of them down, and one for storage",
        "a variant of that",
        named("mlx5_", 0, 1, 2), lambda: planes(A, A, A, A, B, down=(3,)),
        "fabric, state", f"subnet {B} (mlx5_4:1) is left out",
    ),
    Situation(
        "InfiniBand and Ethernet, ports down", "four InfiniBand NICs, two of them down",
        "a variant of InfiniBand and BlueField",
        named("mlx5_", 2, 3), lambda: _both_fabrics(0, 1), "fabric, state",
    ),
    Situation(
        "InfiniBand and Ethernet, one fabric down", "the same, and no InfiniBand NIC has a link",
        "a variant of that",
        named("mlx5_", 4, 5, 6), lambda: _both_fabrics(0, 1, 2, 3), "state",
    ),
)  # fmt: skip
