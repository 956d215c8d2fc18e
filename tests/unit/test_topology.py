# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The machine as Python sees it, read from generated sysfs trees and from this one."""

from __future__ import annotations

import json
from pathlib import Path

import nixl_stripe
import pytest
from nixl_stripe._core import Machine, read_sysfs
from sysfs_machines import MACHINES
from sysfs_trees import ZERO_GID, Host, Rdma, functions, write


def read(name: str, folder: Path) -> Machine:
    tree = write(MACHINES[name](), folder)
    return read_sysfs(str(tree.sys), str(tree.dev))


def rdma_devices(host: Host) -> dict[str, Rdma]:
    found = {rdma.name: rdma for function in functions(host) for rdma in function.rdma}
    return found | {soft.rdma.name: soft.rdma for soft in host.soft}


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_read_is_what_was_described(name: str, tmp_path: Path) -> None:
    described = MACHINES[name]()
    host = read(name, tmp_path)
    devices = rdma_devices(described)
    assert {nic.name for nic in host.nics} == set(devices)
    for nic in host.nics:
        for port, expected in zip(nic.ports, devices[nic.name].ports, strict=True):
            assert port.number == expected.number
            assert port.state == expected.state
            assert port.rate_gbps == expected.rate
            assert port.lid == expected.lid
            assert port.gids == tuple(gid for gid in expected.gids if gid != ZERO_GID)
            layer = "EFA" if expected.link_layer == "Unspecified" else expected.link_layer
            assert port.link_layer == layer
            assert port.netdev == expected.netdev
        assert nic.access == ("yes" if devices[nic.name].node else "no node")
    placed = {function.address: function for function in functions(described)}
    assert set(host.pci) <= set(placed)
    for address, node in host.pci.items():
        below = [child.address for child in placed[address].children]
        assert all(host.pci[child].parent == address for child in below if child in host.pci)
        assert node.class_code == placed[address].class_code
        assert node.vendor == placed[address].vendor
        assert (node.link_gtps, node.link_width) == (32.0, 16) or name == "soft_roce"
    kinds = (0x0300, 0x0302, 0x1200)
    assert [gpu.pci for gpu in host.gpus] == sorted(
        address for address, function in placed.items() if function.class_code >> 8 in kinds
    )


@pytest.mark.parametrize(
    ("name", "gpu", "nic", "distance"),
    [
        ("gb200", 0, "mlx5_0", "NODE"),
        ("gb200", 0, "mlx5_3", "SYS"),
        ("gb300", 3, "mlx5_7", "NODE"),
        ("p5", 0, "rdmap79s0", "PIX"),
        ("p5", 0, "rdmap96s0", "NODE"),
        ("p5", 7, "rdmap79s0", "SYS"),
        ("dgx_h100", 0, "mlx5_0", "PIX"),
        ("dgx_h100", 7, "mlx5_11", "PIX"),
        ("dgx_h100", 0, "mlx5_1", "NODE"),
        ("nic_down", 0, "mlx5_0", "PHB"),
        ("flat_vm", 0, "mlx5_1", "PHB"),
        ("amd_mi300x", 5, "mlx5_5", "PIX"),
    ],
)
def test_distances(name: str, gpu: int, nic: str, distance: str, tmp_path: Path) -> None:
    host = read(name, tmp_path)
    device = next(device for device in host.nics if device.name == nic)
    assert host.affinity(host.gpus[gpu], device)[0] == distance
    assert host.pci_affinity(device.pci, host.gpus[gpu].pci)[0] == distance


def test_nics_come_in_natural_order(tmp_path: Path) -> None:
    names = [nic.name for nic in read("dgx_h100", tmp_path).nics]
    assert names == [f"mlx5_{index}" for index in range(12)]


def test_bonds_virtual_functions_and_flat_machines_are_told(tmp_path: Path) -> None:
    dgx = {nic.name: nic for nic in read("dgx_h100", tmp_path / "dgx").nics}
    assert {name for name, nic in dgx.items() if nic.bond_master} == {"mlx5_2", "mlx5_8"}
    lag = {nic.name: nic for nic in read("dgx_h100_lag", tmp_path / "lag").nics}
    assert lag["mlx5_bond_0"].bond_master == "bond0"
    functions_ = {nic.name: nic for nic in read("virtual_functions", tmp_path / "vf").nics}
    assert functions_["mlx5_1"].physical_function == functions_["mlx5_0"].pci
    assert not functions_["mlx5_0"].is_virtual_function
    assert read("flat_vm", tmp_path / "flat").is_flat
    assert not read("gb200", tmp_path / "gb200").is_flat


def test_soft_roce_is_where_its_interface_is(tmp_path: Path) -> None:
    nics = read("soft_roce", tmp_path).nics
    assert [nic.numa_node for nic in nics] == [0, 0, 1, 1]
    assert {nic.driver for nic in nics} == {"rdma_rxe"}
    assert nics[0].pci == "0000:23:00.0"


def test_a_machine_is_frozen_and_goes_to_json(tmp_path: Path) -> None:
    host = read("gb200", tmp_path)
    for item, attribute in ((host, "source"), (host.nics[0], "name"), (host.gpus[0], "new")):
        with pytest.raises(AttributeError):
            setattr(item, attribute, "other")
    data = json.loads(json.dumps(host.to_dict()))
    assert data["nics"][3]["ports"][0]["rate_gbps"] == 400.0
    assert data["gpus"][0] == {"pci": "0008:01:00.0", "vendor": "NVIDIA", "numa_node": 0,
                               "model": ""}  # fmt: skip
    assert data["pci"]["0008:01:00.0"]["parent"] == "0008:00:00.0"
    assert "mlx5_3" in repr(host)


def test_machines_are_equal_when_all_they_hold_is(tmp_path: Path) -> None:
    host = read("gb200", tmp_path)
    assert host == read_sysfs(host.source, str(tmp_path / "dev"))
    assert host != read_sysfs(host.source)
    text: object = "gb200"
    assert host != text


def test_the_machine_this_runs_on() -> None:
    host = nixl_stripe.machine()
    assert host.is_live
    assert host.source == "/sys"
    assert {path.name for path in Path("/sys/class/net").iterdir() if path.is_dir()} == {
        interface.name for interface in host.net_interfaces
    }


@pytest.mark.parametrize("bad", ["no/such/folder", "/dev/null"])
def test_a_source_that_is_none_is_named(bad: str) -> None:
    with pytest.raises(ValueError, match=bad):
        nixl_stripe.machine(bad)
