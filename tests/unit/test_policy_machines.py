# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the policies choose on known machines: generated trees, real hwloc and NCCL topologies."""

from __future__ import annotations

from pathlib import Path

import pytest
from nixl_stripe import _core
from sysfs_machines import LOOPBACK, MACHINES
from sysfs_trees import Function, Host, Net, Root, bridge, gpu, write

TOPOLOGIES = Path(__file__).parents[1] / "data" / "topologies"

#: Machine -> index of the GPU -> policy -> devices.
EXPECTED: dict[str, tuple[int, dict[str, str]]] = {
    "gb200": (3, {
        "all": "mlx5_0:1 mlx5_1:1 mlx5_2:1 mlx5_3:1",
        "numa": "mlx5_2:1 mlx5_3:1",
        "nearest": "mlx5_2:1 mlx5_3:1",
        "fair": "mlx5_3:1",
        "auto": "mlx5_3:1",
        "3": "mlx5_0:1 mlx5_2:1 mlx5_3:1",
        "off": "",
    }),
    "gb300": (0, {
        "all": " ".join(f"mlx5_{i}:1" for i in range(8)),
        "numa": "mlx5_0:1 mlx5_1:1 mlx5_2:1 mlx5_3:1",
        "fair": "mlx5_0:1 mlx5_2:1",
        "auto": "mlx5_0:1",
    }),
    "dgx_h100": (7, {
        "all": "mlx5_0:1 mlx5_3:1 mlx5_4:1 mlx5_5:1 mlx5_6:1 mlx5_9:1 mlx5_10:1 mlx5_11:1",
        "numa": "mlx5_6:1 mlx5_9:1 mlx5_10:1 mlx5_11:1",
        "nearest": "mlx5_11:1",
        "fair": "mlx5_11:1",
        "^=mlx5_0": "mlx5_3:1 mlx5_4:1 mlx5_5:1 mlx5_6:1 mlx5_9:1 mlx5_10:1 mlx5_11:1",
        "=mlx5_2,mlx5_8": "mlx5_2:1 mlx5_8:1",
    }),
    "nic_down": (2, {"all": "mlx5_0:1 mlx5_1:1 mlx5_3:1", "fair": "mlx5_3:1"}),
    "slow_management": (0, {"all": "mlx5_0:1 mlx5_1:1 mlx5_2:1 mlx5_3:1", "=mlx5_4": "mlx5_4:1"}),
    "second_port_only": (1, {"all": "mlx5_0:2 mlx5_1:2", "auto": "mlx5_1:2"}),
    "virtual_functions": (1, {"all": "mlx5_0:1 mlx5_3:1", "=mlx5_4": "mlx5_4:1"}),
    "container": (0, {"all": "mlx5_1:1 mlx5_3:1", "auto": "mlx5_1:1"}),
    "flat_vm": (1, {"all": "mlx5_0:1 mlx5_1:1", "numa": "mlx5_0:1 mlx5_1:1", "fair": "mlx5_1:1"}),
    "no_nics": (0, {"all": "eth0", "numa": "eth0", "auto": "eth0", "off": ""}),
}  # fmt: skip

REASONS = [
    ("dgx_h100", "mlx5_1", "200 Gbit/s is below 400 Gbit/s, the fastest rate present"),
    ("dgx_h100", "mlx5_2", "part of the bond bond0"),
    ("dgx_h100_lag", "mlx5_bond_0", "part of the bond bond0"),
    ("nic_down", "mlx5_2", "port 1 is DOWN (Disabled), not ACTIVE"),
    ("slow_management", "mlx5_4", "25 Gbit/s is below 400 Gbit/s"),
    ("virtual_functions", "mlx5_1", "virtual function of mlx5_0, which is there itself"),
    ("container", "mlx5_0", "/dev/infiniband/uverbs0 is not there"),
    ("no_nics", "lo", "loopback, not a NIC"),
]


def generated(name: str, folder: Path) -> _core.Machine:
    return read(MACHINES[name](), folder)


def read(host: Host, folder: Path) -> _core.Machine:
    tree = write(host, folder)
    return _core.read_sysfs(str(tree.sys), str(tree.dev))


def devices(machine: _core.Machine, stripe: str, gpu_index: int = 0) -> str:
    address = machine.gpus[gpu_index].pci if machine.gpus else None
    return " ".join(_core.select_nics(machine, stripe, address).devices)


@pytest.mark.parametrize("name", EXPECTED)
def test_devices(name: str, tmp_path: Path) -> None:
    machine = generated(name, tmp_path)
    gpu_index, expected = EXPECTED[name]
    assert {stripe: devices(machine, stripe, gpu_index) for stripe in expected} == expected


@pytest.mark.parametrize(("name", "nic", "reason"), REASONS)
def test_reasons(name: str, nic: str, reason: str, tmp_path: Path) -> None:
    excluded = _core.select_nics(generated(name, tmp_path), "all").excluded
    assert reason in excluded[nic]


@pytest.mark.parametrize("source", ["generated", "hwloc-aws-p5.48xl", "hwloc1-aws-p5.48xl"])
def test_p5_gives_every_gpu_the_four_nics_of_its_switch(source: str, tmp_path: Path) -> None:
    machine = (
        generated("p5", tmp_path)
        if source == "generated"
        else _core.read_machine(str(TOPOLOGIES / f"{source}.xml"))
    )
    taken: list[str] = []
    for index in range(8):
        share = devices(machine, "fair", index)
        assert share == devices(machine, "nearest", index)
        taken += share.split()
    assert len(taken) == len(set(taken)) == len(machine.nics) == 32


@pytest.mark.parametrize("source", ["hwloc-aws-p4d.24xl", "hwloc1-aws-p4d.24xl", "nccl-aws-p4d"])
def test_p4d_gives_two_gpus_the_nic_of_their_switch(source: str) -> None:
    machine = _core.read_machine(str(TOPOLOGIES / f"{source}.xml"))
    shares = [devices(machine, "fair", index) for index in range(8)]
    names = ("rdmap16s27:1", "rdmap32s27:1", "rdmap144s27:1", "rdmap160s27:1")
    assert shares == [name for name in names for _ in range(2)]
    assert shares == [devices(machine, "nearest", index) for index in range(8)]
    assert devices(machine, "all") == " ".join(names)


def test_ndv4_needs_its_topology_file_and_has_it() -> None:
    machine = _core.read_machine(str(TOPOLOGIES / "nccl-azure-ndv4.xml"))
    shares = [devices(machine, "fair", index) for index in range(8)]
    assert len(set(shares)) == 8
    for index, share in enumerate(shares):
        near = devices(machine, "nearest", index).split()
        assert len(near) == 2
        assert share in near


@pytest.mark.parametrize("name", ["hwloc-aws-g6.48xl", "hwloc-aws-p3dn.24xl"])
def test_one_nic_is_shared_by_all(name: str) -> None:
    machine = _core.read_machine(str(TOPOLOGIES / f"{name}.xml"))
    shares = {devices(machine, policy, index) for policy in ("fair", "auto") for index in range(8)}
    assert shares == {devices(machine, "all")}
    assert len(machine.nics) == 1


def test_veth_rails_are_taken_where_there_is_no_rdma_device(tmp_path: Path) -> None:
    rails = tuple(Net(f"r{i}", speed=10000) for i in range(4))
    machine = read(Host(virtual_nets=(LOOPBACK, *rails)), tmp_path)
    chosen = _core.select_nics(machine, "all")
    assert chosen.devices == ["r0", "r1", "r2", "r3"]
    assert chosen.excluded == {"lo": "loopback, not a NIC"}
    assert ["no RDMA device" in warning for warning in chosen.warnings] == [True]
    assert devices(machine, "2") == "r0 r1"
    assert devices(machine, "=r3,r1") == "r1 r3"
    with pytest.raises(ValueError, match="no device is called 'r9'"):
        devices(machine, "=r9")


def test_a_veth_rail_that_is_down_is_not(tmp_path: Path) -> None:
    rails = tuple(Net(f"r{i}", up=i != 2) for i in range(4))
    machine = read(Host(virtual_nets=(LOOPBACK, *rails)), tmp_path)
    chosen = _core.select_nics(machine, "all")
    assert chosen.devices == ["r0", "r1", "r3"]
    assert chosen.excluded["r2"] == "it is down"


def test_ethernet_hosts_go_by_hardware_rate_and_affinity(tmp_path: Path) -> None:
    roots = []
    for node in range(2):
        bus = 0x10 * (node + 1)
        nics = [
            bridge(
                f"0000:{bus:02x}:0{i + 1}.0",
                Function(f"0000:{bus + 1 + i:02x}:00.0", 0x020000, 0x15B3, 0x1021, "mlx5_core",
                         nets=(Net(f"eth{2 * node + i}", speed=100000),)),
            )
            for i in range(2)
        ]  # fmt: skip
        accelerator = bridge(f"0000:{bus:02x}:05.0", gpu(f"0000:{bus + 8:02x}:00.0"))
        roots.append(Root(f"pci0000:{bus:02x}", (*nics, accelerator), node))
    slow = Function("0000:00:1f.6", 0x020000, 0x8086, 0x15BB, "e1000e",
                    nets=(Net("eno1", speed=1000),))  # fmt: skip
    roots.append(Root("pci0000:00", (slow,)))
    host = Host(tuple(roots), numa_nodes=(0, 1), virtual_nets=(LOOPBACK, Net("veth7", speed=10000)))
    machine = read(host, tmp_path)
    assert devices(machine, "all", 1) == "eth0 eth1 eth2 eth3"
    assert devices(machine, "numa", 1) == devices(machine, "fair", 1) == "eth2 eth3"
    assert devices(machine, "auto", 1) == "eth2"
    excluded = _core.select_nics(machine, "all").excluded
    assert excluded["eno1"] == "1 Gbit/s is below 100 Gbit/s, the fastest rate present"
    assert excluded["veth7"] == "virtual, and there are interfaces with hardware"
