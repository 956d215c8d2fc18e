# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What mends a NIC: each rule that speaks against one, on each kind of hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from doctor_patients import Patient
from nixl_stripe import _core
from nixl_stripe.doctor import mending
from sysfs_machines import MACHINES, two_sockets
from sysfs_trees import Function, Port, efa, mlx5, roce

ADDRESS = "0000:11:00.0"


def infiniband(**port: object) -> Function:
    return mlx5(ADDRESS, "mlx5_0", dataclasses.replace(Port(), **port))  # type: ignore[arg-type]


def ethernet(
    driver: str = "mlx5_core", vendor: int = 0x15B3, node_type: str = "", up: bool = True
) -> Function:
    nic = roce(ADDRESS, "nic0", "eth0", up=up)
    rdma = dataclasses.replace(nic.rdma[0], node_type=node_type)
    return dataclasses.replace(nic, driver=driver, vendor=vendor, rdma=(rdma,))


def omni_path(state: str) -> Function:
    return dataclasses.replace(infiniband(state=state), driver="hfi1", vendor=0x8086)


def sleeping_efa() -> Function:
    nic = efa(ADDRESS, "rdmap0s0")
    (port,) = nic.rdma[0].ports
    down = dataclasses.replace(port, state="DOWN")
    return dataclasses.replace(nic, rdma=(dataclasses.replace(nic.rdma[0], ports=(down,)),))


def without_gids(nic: Function) -> Function:
    (port,) = nic.rdma[0].ports
    bare = dataclasses.replace(port, gids=())
    return dataclasses.replace(nic, rdma=(dataclasses.replace(nic.rdma[0], ports=(bare,)),))


def physical(state: str) -> Callable[[Patient], object]:
    def write(patient: Patient) -> None:
        patient.put("sys/class/infiniband/mlx5_0/ports/1/phys_state", state)

    return write


def unplug(patient: Patient) -> None:
    """Move the interface to another network namespace."""
    patient.removed("sys/class/net/eth0")
    (folder,) = (patient.root / "sys/devices").rglob("net/eth0")
    patient.removed(str(folder.relative_to(patient.root)))


@dataclass(frozen=True)
class Case:
    """A NIC that a rule speaks against, what its line says and what it must not say."""

    rule: str
    nic: Function
    says: tuple[str, ...]
    never: tuple[str, ...] = ()
    change: Callable[[Patient], object] = lambda patient: patient


CASES = {
    "infiniband in INIT": Case(
        "state", infiniband(state="INIT", lid=0), ("subnet manager", "opensm"), ("ip link",)
    ),
    "infiniband without a link": Case(
        "state",
        infiniband(state="DOWN"),
        ("check cable, transceiver and switch port of mlx5_0:1",),
        ("ip link", "subnet manager"),
        physical("2: Polling"),
    ),
    "infiniband switched off": Case(
        "state",
        infiniband(state="DOWN"),
        ("ibportstate -C mlx5_0 -D 0 1 enable",),
        ("ip link",),
        physical("3: Disabled"),
    ),
    "omni-path in INIT": Case("state", omni_path("INIT"), ("opafm",), ("opensm", "ip link")),
    "roce down": Case(
        "state", ethernet(up=False), ("ip link set dev eth0 up", "cable"), ("subnet manager",)
    ),
    "roce down, elsewhere": Case(
        "state", ethernet(up=False), ("in the network namespace that it is in",), (), unplug
    ),
    "efa down": Case("state", sleeping_efa(), ("modprobe efa",), ("ip link", "subnet manager")),
    "e810 in iWARP mode": Case(
        "transport",
        ethernet("ice", 0x8086, "4: RNIC"),
        ("name enable_roce value true", f"pci/{ADDRESS}", "roce_ena=1"),
        ("knows no RoCE",),
    ),
    "fastlinq in iWARP mode": Case(
        "transport", ethernet("qede", 0x1077, "4: RNIC"), ("RoCE in the adapter's UEFI menu",)
    ),
    "iWARP alone": Case(
        "transport", ethernet("cxgb4", 0x1425, "4: RNIC"), ("knows no RoCE",), ("devlink",)
    ),
    "usNIC": Case("transport", ethernet("enic", 0x1137, "6: usNIC UDP"), ("knows no RoCE",)),
    "no node": Case(
        "verbs",
        infiniband(),
        ("pass /dev/infiniband/uverbs0 in",),
        ("chmod",),
        lambda patient: patient.removed("dev/infiniband/uverbs0"),
    ),
    "bare roce": Case(
        "address", without_gids(ethernet()), ("ip addr add A.B.C.D/NN dev eth0",), ("netns",)
    ),
    "roce of a pod": Case(
        "address",
        without_gids(ethernet()),
        ("Multus", "ip link set dev INTERFACE netns PID"),
        ("ip addr",),
        unplug,
    ),
    "roce elsewhere": Case(
        "namespace",
        ethernet(),
        ("attach eth0 to the pod (Multus", "ip link set dev eth0 netns PID"),
        ("ip addr",),
        unplug,
    ),
    "slow infiniband": Case(
        "rate", infiniband(rate=100.0), ("ibportstate -C mlx5_0 -D 0 1 query",), ("ethtool",)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_line_is_right_for_the_hardware(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    is_ethernet = bool(case.nic.nets)
    others = (
        [roce(f"0000:{n}1:00.0", f"mlx5_{n}", f"eth{n}", subnet=n) for n in (2, 3)]
        if is_ethernet
        else [mlx5(f"0000:{n}1:00.0", f"mlx5_{n}", Port(lid=n)) for n in (2, 3)]
    )
    patient = Patient.of(tmp_path, two_sockets(case.nic, *others))
    case.change(patient)
    (nic,) = (rdma.name for rdma in case.nic.rdma)
    plan = dataclasses.replace(patient.surroundings).plan
    assert plan.excluded_by[nic] == case.rule
    row = patient.answer("nics-excluded")
    assert row.status == "warn"
    assert plan.excluded[nic] in row.detail
    for part in case.says:
        assert part in row.fix
    for part in case.never:
        assert part not in row.fix


def test_every_rule_has_a_line_on_every_machine(tmp_path: Path) -> None:
    lines = set()
    for name in MACHINES:
        machine = dataclasses.replace(Patient.of(tmp_path / name, name).surroundings).machine
        for rule in _core.usable_rules():
            for nic in machine.nics:
                line = mending.line(machine, nic, rule.id)
                is_active = all(port.state == "ACTIVE" for port in nic.ports)
                is_silent = rule.id in mending.ASKED_FOR or (rule.id == "state" and is_active)
                assert bool(line) != is_silent, (name, rule.id, nic.name)
                lines.add((rule.id, line))
    assert len({rule for rule, line in lines if line}) == len(_core.usable_rules()) - 1


def test_many_nics_with_one_fault_are_mended_by_one_line(tmp_path: Path) -> None:
    waiting = [mlx5(f"0000:{n}1:00.0", f"mlx5_{n}", Port(state="INIT", lid=0)) for n in range(1, 5)]
    working = mlx5("0000:51:00.0", "mlx5_5", Port())
    row = Patient.of(tmp_path, two_sockets(*waiting, working)).answer("nics-excluded")
    assert row.fix == (
        "mlx5_1:1 has a link and waits for a subnet manager: start one, opensm on a host or that "
        "of a switch (likewise 3 more)"
    )


def test_what_was_asked_for_needs_no_mending(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path)
    row = patient.with_variables(NIXL_UCX_STRIPE="mlx5_0,mlx5_1").answer("nics-excluded")
    assert (row.status, row.fix) == ("ok", "")
    assert row.detail.startswith("as asked: mlx5_2: not in")
    two = patient.with_variables(NIXL_UCX_STRIPE="2").answer("nics-excluded")
    assert two.status == "ok"


def test_no_nic_is_mended_by_its_rule_and_not_by_a_guess_bad_flow(tmp_path: Path) -> None:
    waiting = [mlx5(f"0000:{n}1:00.0", f"mlx5_{n}", Port(state="INIT", lid=0)) for n in (1, 2)]
    row = Patient.of(tmp_path / "init", two_sockets(*waiting)).answer("nics")
    assert row.status == "warn"
    assert "mlx5_1:1 has a link and waits for a subnet manager" in row.fix
    assert "driver" not in row.fix
    lost = Patient.of(tmp_path / "lost", "gb200")
    for name in ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3"):
        lost.removed(f"sys/class/infiniband/{name}")
    assert "see the check rdma-driver" in lost.answer("nics").fix
