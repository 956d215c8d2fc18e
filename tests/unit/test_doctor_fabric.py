# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what joins NICs to their peers: each on a machine that has the fault and its twin."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from doctor_patients import Patient
from sysfs_trees import Host, Root, bridge, roce


def roce_host(*subnets: int, mtus: tuple[int, ...] = ()) -> Host:
    """Return a RoCE host with a NIC in each of the subnets."""
    nics = []
    for i, subnet in enumerate(subnets):
        nic = roce(f"0000:{0x10 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}", f"eth{i}", subnet=subnet)
        if mtus:
            nets = tuple(dataclasses.replace(net, mtu=mtus[i]) for net in nic.nets)
            nic = dataclasses.replace(nic, nets=nets)
        nics.append(nic)
    roots = tuple(
        Root(f"pci0000:{0x10 * (i + 1):02x}", (bridge(f"0000:{0x10 * (i + 1):02x}:01.0", nic),))
        for i, nic in enumerate(nics)
    )
    return Host(roots)


def test_gids(tmp_path: Path) -> None:
    assert Patient.of(tmp_path / "ok", roce_host(0, 1)).answer("gids").status == "ok"
    bad = Patient.of(tmp_path / "bad", roce_host(0, 1))
    bad.put("sys/class/infiniband/mlx5_1/ports/1/gids/1", ":".join(["0000"] * 8))
    row = bad.answer("gids")
    assert row.status == "warn"
    assert row.detail.endswith("cannot reach mlx5_1:1 (eth1)")
    assert row.fix == "ip addr add A.B.C.D/NN dev eth1"
    assert Patient.of(tmp_path / "ib").answer("gids").status == "skip"


def test_namespace(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path, roce_host(0, 1))
    assert patient.answer("namespace").status == "ok"
    assert patient.answer("plan-warnings").status == "ok"
    for net in ("eth0", "eth1"):
        patient.removed(f"sys/class/net/{net}")
        (folder,) = (patient.root / "sys/devices").rglob(f"net/{net}")
        patient.removed(str(folder.relative_to(patient.root)))
    patient.put("sys/class/net/lo/operstate", "up")
    row = patient.answer("namespace")
    assert row.status == "warn"
    assert "mlx5_0:1 (eth0), mlx5_1:1 (eth1)" in row.detail
    assert "ip link set dev eth1 netns" in row.fix
    assert "another network namespace" in patient.answer("plan-warnings").detail
    assert Patient.of(tmp_path / "ib").answer("namespace").status == "skip"


def test_subnets(tmp_path: Path) -> None:
    assert Patient.of(tmp_path / "ok", roce_host(0, 1)).answer("subnets").status == "ok"
    shared = Patient.of(tmp_path / "bad", roce_host(0, 0, 1))
    row = shared.answer("subnets")
    assert row.status == "warn"
    assert "192.168.0.0/24: mlx5_0:1, mlx5_1:1" in row.detail
    assert "UCX_IB_ROCE_REACHABILITY_MODE=local_subnet" in row.fix
    relaxed = shared.with_variables(UCX_IB_ROCE_REACHABILITY_MODE="local_subnet")
    assert relaxed.answer("subnets").status == "ok"


@pytest.mark.parametrize(
    ("mtus", "status", "words"),
    [
        ((9000, 9000), "ok", "9000 everywhere"),
        ((9000, 1500), "warn", "mlx5_0:1 9000, mlx5_1:1 1500"),
        ((1500, 1500), "warn", "1024 bytes"),
    ],
)
def test_mtu(tmp_path: Path, mtus: tuple[int, ...], status: str, words: str) -> None:
    row = Patient.of(tmp_path, roce_host(0, 1, mtus=mtus)).answer("mtu")
    assert row.status == status
    assert words in row.detail
    assert ("mtu 9000" in row.fix) == (status == "warn")


@pytest.mark.parametrize(
    ("limit", "hosts", "known", "status", "words"),
    [
        ("1024", None, 5, "ok", "1024 neighbours at most: 512 hosts of 2 Ethernet NIC(s) each"),
        ("1024", 400, 5, "ok", "512 hosts"),
        ("1024", 500, 5, "warn", "500 hosts need 1000"),
        ("1024", None, 1000, "warn", "1000 are there already"),
        ("", 10, 5, "skip", "gc_thresh3 is not to be read here"),
    ],
)
def test_room_for_neighbours(
    tmp_path: Path, limit: str, hosts: int | None, known: int, status: str, words: str
) -> None:
    patient = Patient.of(tmp_path, roce_host(0, 1))
    patient.put("proc/sys/net/ipv4/neigh/default/gc_thresh3", limit)
    patient.put("proc/net/arp", "\n".join(["IP address  HW type", *["10.0.0.1  0x1"] * known]))
    patient.surroundings = dataclasses.replace(patient.surroundings, hosts=hosts)
    row = patient.answer("neighbours")
    assert row.status == status
    assert words in row.detail
    assert ("gc_thresh3=" in row.fix) == (status == "warn")


def test_infiniband_has_no_neighbours(tmp_path: Path) -> None:
    assert Patient.of(tmp_path).answer("neighbours").detail == "no Ethernet NIC in the plan"
