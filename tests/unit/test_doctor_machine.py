# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of NICs, networks, limits and GPUs: each on a machine that has the fault and its twin."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from doctor_patients import Patient, acs_config
from privileges import as_nobody
from sysfs_machines import MACHINES, two_sockets
from sysfs_trees import Host, Net, Port, Root, gpu, mlx5

NIC = "sys/bus/pci/devices/0000:03:00.0"
GB200_BRIDGES = ("0000:00:00.0", "0000:01:00.0", "0000:02:00.0")


@pytest.fixture
def healthy(tmp_path: Path) -> Patient:
    return Patient.of(tmp_path)


def many_nics(count: int) -> Host:
    nics = (
        mlx5(f"0000:{1 + i // 8:02x}:{i % 8:02x}.0", f"mlx5_{i}", Port(lid=i + 1))
        for i in range(count)
    )
    return Host((Root("pci0000:00", (*nics, gpu("0000:70:00.0"))),))


def test_a_healthy_machine_has_no_complaint_about_itself(healthy: Patient) -> None:
    from nixl_stripe.doctor import CHECKS, examine
    from nixl_stripe.doctor.nixl import CHECKS as OF_NIXL

    names = {check.name for check in OF_NIXL}
    report = examine(healthy.surroundings, [each for each in CHECKS if each.name not in names])
    assert {row.name: row.detail for row in report.rows if row.status in ("warn", "fail")} == {}


def test_nics(healthy: Patient) -> None:
    row = healthy.answer("nics")
    assert (row.status, row.fix) == ("ok", "")
    assert row.detail == "4 NICs: mlx5_0:1, mlx5_1:1, mlx5_2:1, mlx5_3:1"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (Host(), "no usable NIC"),
        (many_nics(1), "one usable NIC (mlx5_0:1)"),
        (Host(virtual_nets=(Net("eth0", speed=10000), Net("eth1", speed=10000))), "over TCP"),
    ],
    ids=["none", "one", "tcp"],
)
def test_nics_bad_flow(tmp_path: Path, host: Host, words: str) -> None:
    row = Patient.of(tmp_path, host).answer("nics")
    assert row.status == "warn"
    assert words in row.detail
    assert row.fix


@pytest.mark.parametrize(
    ("host", "nic", "fix"),
    [
        ("nic_down", "mlx5_2: port 1 is DOWN", "ibportstate -C mlx5_2"),
        ("container", "mlx5_0: /dev/infiniband/uverbs0 is not there", "--device=/dev/inf"),
    ],
)
def test_nics_excluded(tmp_path: Path, host: str, nic: str, fix: str) -> None:
    assert Patient.of(tmp_path / "ok").answer("nics-excluded").status == "ok"
    row = Patient.of(tmp_path / "bad", host).answer("nics-excluded")
    assert row.status == "warn"
    assert nic in row.detail
    assert fix in row.fix


@pytest.mark.parametrize(
    ("host", "nic"),
    [
        ("slow_management", "mlx5_4: 25 Gbit/s is below"),
        ("virtual_functions", "mlx5_1: virtual function of mlx5_0"),
    ],
)
def test_nics_that_are_rightly_left_out_are_no_warning(tmp_path: Path, host: str, nic: str) -> None:
    """Else --strict, in a prolog, drains healthy nodes."""
    row = Patient.of(tmp_path, host).answer("nics-excluded")
    assert row.status == "ok"
    assert f"as it should be: {nic}" in row.detail


def of_rates(*rates: float, gpus: int) -> Host:
    nics = (
        mlx5(f"0000:{0x10 * (i + 1) + 1:02x}:00.0", f"mlx5_{i}", Port(rate=rate, lid=i + 1))
        for i, rate in enumerate(rates)
    )
    return two_sockets(*nics, gpus=gpus)


def test_a_slower_nic_near_no_gpu_is_no_fault(tmp_path: Path) -> None:
    rates = (400.0,) * 4 + (200.0,)
    row = Patient.of(tmp_path / "storage", of_rates(*rates, gpus=4)).answer("nics-excluded")
    assert (row.status, row.detail[:17]) == ("ok", "as it should be: ")
    row = Patient.of(tmp_path / "slow", of_rates(*rates, gpus=5)).answer("nics-excluded")
    assert row.status == "warn"
    assert "mlx5_4: 200 Gbit/s is below 400 Gbit/s" in row.detail


def test_the_slow_ones_are_blamed_where_they_are_most(tmp_path: Path) -> None:
    host = of_rates(*(200.0,) * 6, 400.0, 400.0, gpus=8)
    row = Patient.of(tmp_path, host).answer("nics-excluded")
    assert row.status == "warn"
    assert "mlx5_6: 400 Gbit/s is not 200 Gbit/s" in row.detail
    assert "cable, transceiver and switch port of mlx5_0 (200), mlx5_1 (200)" in row.fix
    assert "others of their model run at 400 Gbit/s" in row.fix


def test_nics_excluded_without_any(tmp_path: Path) -> None:
    assert Patient.of(tmp_path, Host()).answer("nics-excluded").status == "skip"


def test_rdma_driver(healthy: Patient) -> None:
    assert healthy.answer("rdma-driver").status == "ok"


def test_rdma_driver_bad_flow(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path).removed("sys/class/infiniband/mlx5_0")
    row = patient.answer("rdma-driver")
    assert (row.status, row.detail) == ("fail", "no RDMA device for 0000:03:00.0")
    assert "modprobe ib_uverbs mlx5_ib" in row.fix


def test_rates(tmp_path: Path) -> None:
    ports = [Port(rate=25.0 if i == 4 else 400.0) for i in range(5)]
    nics = (mlx5(f"0000:{i + 1:x}1:00.0", f"mlx5_{i}", port) for i, port in enumerate(ports))
    mixed = Patient.of(tmp_path / "mixed", two_sockets(*nics))
    assert mixed.answer("rates").detail == "400 Gbit/s each"
    row = mixed.with_variables(NIXL_UCX_STRIPE_MIN_RATE_GBPS="0").answer("rates")
    assert row.status == "warn"
    assert "mlx5_4:1 25" in row.detail
    assert row.fix.endswith("stripe_min_rate_gbps=400")
    assert Patient.of(tmp_path / "none", Host()).answer("rates").status == "skip"


@pytest.mark.parametrize(("count", "remark"), [(8, False), (17, True), (64, True)])
def test_lanes(tmp_path: Path, count: int, remark: bool) -> None:
    row = Patient.of(tmp_path, many_nics(count)).answer("lanes")
    assert row.status == "ok"
    assert ("a peer with UCX before 1.18" in row.detail) == remark


def test_more_nics_than_lanes_make_no_plan(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path, many_nics(65))
    row = patient.answer("parameters")
    assert row.status == "fail"
    assert "selects 65 NICs, UCX has 64 lanes" in row.detail
    assert patient.answer("lanes").status == "skip"


def test_pcie_link(healthy: Patient) -> None:
    assert healthy.answer("pcie-link").status == "ok"


@pytest.mark.parametrize(
    ("what", "text"), [("speed", "8.0 GT/s PCIe"), ("width", "8")], ids=["speed", "width"]
)
def test_pcie_link_bad_flow(healthy: Patient, what: str, text: str) -> None:
    row = healthy.put(f"{NIC}/current_link_{what}", text).answer("pcie-link")
    assert row.status == "warn"
    assert row.detail.startswith(f"mlx5_0: link {what} {text}, possible ")
    assert "reseat" in row.fix


def test_a_slot_that_is_narrower_than_the_port(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path)
    for end in ("current", "max"):
        patient.put(f"{NIC}/{end}_link_speed", "16.0 GT/s PCIe").put(f"{NIC}/{end}_link_width", "8")
    row = patient.answer("pcie-link")
    assert row.status == "warn"
    assert row.detail == "mlx5_0:1: 16 GT/s x8 carries 126 of 400 Gbit/s"
    assert "a slot of more lanes" in row.fix
    assert "its PCIe link (16 GT/s x8) carries 126" in patient.answer("plan-warnings").detail


def test_paths(healthy: Patient, tmp_path: Path) -> None:
    row = healthy.answer("paths")
    assert (row.status, row.detail) == ("ok", "1600 Gbit/s from GPU 0008:01:00.0 over 4 NIC(s)")
    assert Patient.of(tmp_path / "none", Host()).answer("paths").status == "skip"


def test_paths_bad_flow(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path, "dgx_h100")
    row = patient.answer("paths")
    assert row.status == "warn"
    assert row.detail == (
        "267 Gbit/s from GPU 0000:1b:00.0 over 8 NIC(s), as UCX divides buffers; "
        "stripe=best 400 Gbit/s over 1 NIC(s), mlx5_0:1"
    )
    assert row.fix.startswith("stripe=best;")
    best = patient.with_variables(NIXL_UCX_STRIPE="best")
    assert best.answer("paths").status == "ok"
    row = best.answer("nics")
    assert (row.status, row.detail.partition(":")[0]) == ("ok", "one NIC, mlx5_0")


def test_what_the_plan_warns_of(healthy: Patient) -> None:
    assert healthy.answer("plan-warnings").status == "ok"
    row = healthy.with_variables(NIXL_UCX_STRIPE="9", UCX_PROTO_ENABLE="n").answer("plan-warnings")
    assert (row.status, row.detail) == ("warn", "9 NICs asked for, 4 usable")


def test_topology(tmp_path: Path) -> None:
    assert Patient.of(tmp_path / "ok").answer("topology").status == "ok"
    row = Patient.of(tmp_path / "flat", "flat_vm").answer("topology")
    assert row.status == "warn"
    assert "NCCL_TOPO_FILE" in row.fix


def test_verbs_nodes(tmp_path: Path) -> None:
    assert Patient.of(tmp_path / "ok").answer("verbs-nodes").status == "ok"
    some = Patient.of(tmp_path / "some", "container").answer("verbs-nodes")
    assert (some.status, some.detail) == ("warn", "uverbs0, uverbs2 not in /dev/infiniband")
    assert "--device=/dev/infiniband" in some.fix
    none = Patient.of(tmp_path / "none")
    for number in range(4):
        none.removed(f"dev/infiniband/uverbs{number}")
    assert none.answer("verbs-nodes").status == "fail"
    assert Patient.of(tmp_path / "tcp", Host()).answer("verbs-nodes").status == "skip"


def test_verbs_nodes_denied() -> None:
    with tempfile.TemporaryDirectory() as name:
        healthy = Patient.of(Path(name))
        for folder in (healthy.root, *(p for p in healthy.root.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        for node in (healthy.root / "dev/infiniband").iterdir():
            node.chmod(0 if node.name == "uverbs0" else 0o666)
        with as_nobody():
            row = healthy.answer("verbs-nodes")
    assert (row.status, row.detail) == ("warn", "uverbs0 may not be opened")
    assert row.fix.startswith("chmod 666")


def test_memlock(healthy: Patient) -> None:
    assert healthy.answer("memlock").status == "ok"
    assert healthy.limited(memlock=8 << 20).answer("memlock").status == "warn"
    row = healthy.limited(memlock=64 << 10).answer("memlock")
    assert row.status == "fail"
    assert row.fix.startswith("ulimit -l unlimited")
    healthy.replaced("proc/self/status", "0000000000000000", "0000000000004000")
    assert healthy.answer("memlock").detail.endswith("lifted by the capability IPC_LOCK")


def test_memlock_without_rdma(tmp_path: Path) -> None:
    row = Patient.of(tmp_path, Host()).limited(memlock=64 << 10).answer("memlock")
    assert row.status == "skip"


def test_open_files(healthy: Patient) -> None:
    assert healthy.answer("open-files").status == "ok"
    assert healthy.limited(nofile=-1).answer("open-files").detail == "open files are unlimited"
    row = healthy.limited(nofile=256).answer("open-files")
    assert (row.status, row.detail[:14]) == ("warn", "256 open files")
    assert row.fix.startswith("ulimit -n")


def test_cpus(healthy: Patient) -> None:
    assert healthy.answer("cpus").detail == "16 CPU core(s)"
    healthy.put("sys/fs/cgroup/cpu.max", "400000 100000")
    assert healthy.answer("cpus").detail == "4 CPU core(s)"
    healthy.put("sys/fs/cgroup/cpu.max", "max 100000")
    assert healthy.answer("cpus").status == "ok"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda at: at.put("sys/fs/cgroup/cpu.max", "100000 100000"),
        lambda at: at.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000").put(
            "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000"
        ),
        lambda at: at.replaced("proc/self/status", "ffff", "0001"),
    ],
    ids=["cgroup 2", "cgroup 1", "affinity"],
)
def test_cpus_bad_flow(healthy: Patient, spoil: Callable[[Patient], object]) -> None:
    spoil(healthy)
    row = healthy.answer("cpus")
    assert row.status == "warn"
    assert "docker run --cpus" in row.fix
    assert "UCX_USE_MT_MUTEX=y" in row.fix


def test_memory_nodes(healthy: Patient) -> None:
    assert healthy.answer("memory-nodes").status == "ok"
    row = healthy.replaced("proc/self/status", "0-1", "0").answer("memory-nodes")
    assert row.status == "warn"
    assert "NUMA node(s) 0 only, NICs are on 0,1" in row.detail
    assert "cpuset" in row.fix


def test_shared_memory(monkeypatch: pytest.MonkeyPatch, healthy: Patient) -> None:
    assert healthy.answer("shared-memory").status == "skip"
    healthy.put("dev/shm/keep", "")
    for size, status in ((1 << 30, "ok"), (64 << 20, "warn")):
        about = os.statvfs_result((4096, 4096, size // 4096, 0, 0, 0, 0, 0, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda _path, about=about: about)
        row = healthy.answer("shared-memory")
        assert row.status == status
    assert row.detail.startswith("shared memory: 64 MiB")
    assert "--shm-size" in row.fix


def test_gpu_direct(healthy: Patient) -> None:
    assert healthy.answer("gpu-direct").detail.startswith("dma-buf")
    healthy.replaced("proc/driver/nvidia/version", "Open Kernel", "Kernel")
    row = healthy.answer("gpu-direct")
    assert row.status == "fail"
    assert "modprobe nvidia-peermem" in row.fix
    healthy.put("sys/module/nvidia_peermem/refcnt", "0")
    assert healthy.answer("gpu-direct").status == "ok"


def test_gpu_direct_on_an_old_kernel(healthy: Patient) -> None:
    healthy.put("proc/sys/kernel/osrelease", "5.4.0-1")
    assert healthy.answer("gpu-direct").status == "fail"


def test_gpu_checks_without_an_nvidia_gpu(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path, "amd_mi300x")
    assert patient.answer("gpu-direct").status == "skip"
    assert patient.answer("cuda-runtime").status == "skip"


def test_iommu(healthy: Patient) -> None:
    group = "sys/kernel/iommu_groups/7"
    healthy.put(f"{group}/type", "identity").put(f"{group}/devices/0000:03:00.0/x", "")
    assert healthy.answer("iommu").status == "ok"
    row = healthy.put(f"{group}/type", "DMA-FQ").answer("iommu")
    assert row.status == "warn"
    assert "0000:03:00.0" in row.detail
    assert "iommu=pt" in row.fix


def test_acs(healthy: Patient) -> None:
    assert healthy.answer("acs").status == "skip"
    for name in GB200_BRIDGES:
        healthy.put(f"sys/bus/pci/devices/{name}/config", acs_config(0))
    assert healthy.answer("acs").status == "ok"
    healthy.put("sys/bus/pci/devices/0000:01:00.0/config", acs_config(0x1D))
    row = healthy.answer("acs")
    assert (row.status, row.detail[:27]) == ("warn", "ACS is on at 0000:01:00.0: ")
    assert "setpci" in row.fix


def test_acs_is_not_for_everyone_to_read(healthy: Patient) -> None:
    for name in GB200_BRIDGES:
        healthy.put(f"sys/bus/pci/devices/{name}/config", acs_config(0x1D)[:64])
    assert healthy.answer("acs").status == "skip"


def test_every_machine_is_examined_without_an_accident(tmp_path: Path) -> None:
    from nixl_stripe.doctor import CHECKS, examine

    for name in MACHINES:
        patient = Patient.of(tmp_path / name, name)
        report = examine(patient.surroundings, CHECKS)
        assert len(report.rows) == len(CHECKS)
        for row in report.rows:
            assert "the check itself failed" not in row.detail, row
            assert bool(row.fix) == (row.status in ("warn", "fail")), row
