# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The check rdma-driver tells a NIC that is broken from one that this process does not see."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from doctor_patients import Patient
from sysfs_machines import two_sockets
from sysfs_trees import Function, Net, Port, mlx5, roce


def test_a_device_of_another_rdma_namespace_is_not_broken(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path).removed("sys/class/infiniband/mlx5_0")
    patient.put("sys/module/mlx5_ib/refcnt", "")
    row = patient.answer("rdma-driver")
    assert row.status == "ok"
    assert "0000:03:00.0: mlx5_ib is loaded and shows no RDMA device" in row.detail


def test_an_auxiliary_device_tells_both_apart_bad_flow(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path).removed("sys/class/infiniband/mlx5_0")
    patient.put("sys/module/mlx5_ib/refcnt", "")
    rdma = "sys/bus/pci/devices/0000:03:00.0/mlx5_core.rdma.0"
    patient.put(f"{rdma}/uevent", "")
    assert patient.answer("rdma-driver").status == "fail"
    patient.put(f"{rdma}/driver/uevent", "")
    assert patient.answer("rdma-driver").status == "ok"


def _silent(function: str, driver: str = "", physfn: str = "") -> Function:
    return Function(function, 0x020700, 0x15B3, 0x101E, driver, physfn=physfn)


def test_functions_of_others_and_of_a_bond_are_ok(tmp_path: Path) -> None:
    functions = [mlx5("0000:11:00.0", "mlx5_0")]
    vfs = [_silent(f"0000:11:00.{i}", "vfio-pci", "0000:11:00.0") for i in (2, 3)]
    free = _silent("0000:11:00.4", "", "0000:11:00.0")
    row = Patient.of(tmp_path / "vfs", two_sockets(*functions, *vfs, free)).answer("rdma-driver")
    assert row.status == "ok"
    assert "0000:11:00.2, 0000:11:00.3: handed on to virtual machines (vfio-pci)" in row.detail
    assert "0000:11:00.4: virtual function that nobody uses" in row.detail
    lag = roce("0000:21:00.0", "mlx5_bond_0", "ens1f0", master="bond0")
    second = dataclasses.replace(_silent("0000:21:00.1", "mlx5_core"), device=0x101D)
    bonded = dataclasses.replace(two_sockets(lag, second), bonds=(Net("bond0", speed=200000),))
    row = Patient.of(tmp_path / "lag", bonded).answer("rdma-driver")
    assert row.status == "ok"
    assert "mlx5_bond_0 answers" in row.detail
    direct = dataclasses.replace(_silent("0000:31:00.0", "mlx5_ib"), device=0x2100)
    patient = Patient.of(tmp_path / "direct", two_sockets(*functions, direct))
    assert patient.answer("rdma-driver").detail == "every RDMA NIC on PCI has its RDMA device"


def test_a_physical_function_without_any_driver_is_broken_bad_flow(tmp_path: Path) -> None:
    nics = [mlx5("0000:11:00.0", "mlx5_0"), _silent("0000:21:00.0")]
    row = Patient.of(tmp_path, two_sockets(*nics)).answer("rdma-driver")
    assert (row.status, row.detail) == ("fail", "no RDMA device for 0000:21:00.0")


def test_the_bond_of_a_pod_without_its_interfaces(tmp_path: Path) -> None:
    lag = mlx5("0000:21:00.0", "mlx5_bond_0", Port(link_layer="Ethernet", lid=0))
    second = dataclasses.replace(_silent("0000:21:00.1", "mlx5_core"), device=0x101D)
    row = Patient.of(tmp_path, two_sockets(lag, second)).answer("rdma-driver")
    assert row.status == "ok"
    assert "port of the bond mlx5_bond_0, for which mlx5_bond_0 answers" in row.detail


def _ethernet(number: int, driver: str, vendor: int) -> Function:
    name = f"ens{number}"
    nets = (Net(name, speed=400000),)
    return Function(f"0000:{number}1:00.0", 0x020000, vendor, 0x1760, driver, nets=nets)


def test_a_missing_module_of_other_vendors_is_named_where_no_nic_has_rdma(tmp_path: Path) -> None:
    broadcom = [_ethernet(number, "bnxt_en", 0x14E4) for number in (1, 2)]
    row = Patient.of(tmp_path / "none", two_sockets(*broadcom)).answer("rdma-driver")
    assert (row.status, row.detail) == ("warn", "no RDMA device for 0000:11:00.0, 0000:21:00.0")
    assert "modprobe ib_uverbs bnxt_re" in row.fix
    nics = [mlx5("0000:31:00.0", "mlx5_0"), *broadcom]
    beside = Patient.of(tmp_path / "beside", two_sockets(*nics)).answer("rdma-driver")
    assert beside.status == "ok"


def test_the_module_is_that_of_the_card_bad_flow(tmp_path: Path) -> None:
    old = Function("0000:11:00.0", 0x020700, 0x15B3, 0x1003, "mlx4_core")
    row = Patient.of(tmp_path, two_sockets(old)).answer("rdma-driver")
    assert row.status == "fail"
    assert "modprobe ib_uverbs mlx4_ib" in row.fix


def test_a_host_without_mlx5_ib_fails_and_a_pod_beside_it_does_not_bad_flow(
    tmp_path: Path,
) -> None:
    host = two_sockets(*(_silent(f"0000:{n}1:00.0", "mlx5_core") for n in (1, 2)))
    patient = Patient.of(tmp_path, host)
    for number in (1, 2):
        patient.put(f"sys/bus/pci/devices/0000:{number}1:00.0/mlx5_core.rdma.{number}/uevent", "")
    row = patient.answer("rdma-driver")
    assert row.status == "fail"
    assert "modprobe ib_uverbs mlx5_ib" in row.fix
    assert "see the check rdma-driver" in patient.answer("nics").fix
    for number in (1, 2):
        base = f"sys/bus/pci/devices/0000:{number}1:00.0/mlx5_core.rdma.{number}"
        patient.put(f"{base}/driver/uevent", "")
    assert patient.answer("rdma-driver").status == "ok"
    assert "pass the RDMA devices in" in patient.answer("nics").fix
