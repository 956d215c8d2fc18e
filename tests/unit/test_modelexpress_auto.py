# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`auto` against ModelExpress 0.7's own `auto`: the same NIC, or a difference that is explained.

docs/differences-from-modelexpress.md says who is right in each case and why.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from modelexpress_reference import Reference
from nixl_stripe import _core
from random_hosts import Group, host_of
from sysfs_machines import MACHINES
from sysfs_trees import Host, Net, Root, Tree, bridge, gpu, mlx5, roce, write

#: Machine -> GPU -> (ours, ModelExpress'): every difference on the ready-made machines.
DIFFERENCES = {
    "nic_down": {"0000:38:00.0": ("mlx5_3:1", "mlx5_2:1")},
    "second_port_only": {
        "0000:18:00.0": ("mlx5_0:2", "mlx5_0:1"),
        "0000:28:00.0": ("mlx5_1:2", "mlx5_1:1"),
    },
    "no_nics": {"0000:02:00.0": ("eth0", None)},
}

#: Guests for tests: they have no GPU, which `auto` needs.
WITHOUT_GPU = ("soft_roce",)

PCI_STEP = re.compile(r"pci[0-9a-f]{4}:[0-9a-f]{2}|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("reference"))


def read(tree: Tree) -> _core.Machine:
    return _core.read_sysfs(str(tree.sys), str(tree.dev))


def ours(machine: _core.Machine, address: str, min_rate_gbps: float | None = None) -> str | None:
    devices = _core.select_nics(machine, "auto", address, min_rate_gbps).devices
    return devices[0] if devices else None


def both(reference: Reference, host: Host, folder: Path) -> dict[str, tuple[str | None, ...]]:
    tree = write(host, folder)
    machine = read(tree)
    assert machine.gpus
    return {
        each.pci: (ours(machine, each.pci), reference.auto(tree, each.pci)) for each in machine.gpus
    }


@pytest.mark.parametrize("name", [each for each in MACHINES if each not in WITHOUT_GPU])
def test_the_same_nic_but_for_known_differences(
    reference: Reference, tmp_path: Path, name: str
) -> None:
    answers = both(reference, MACHINES[name](), tmp_path)
    different = {address: pair for address, pair in answers.items() if pair[0] != pair[1]}
    known = DIFFERENCES.get(name, {})
    assert different == known


def test_natural_order_where_ten_nics_tie(reference: Reference, tmp_path: Path) -> None:
    nics = [mlx5(f"0000:00:{4 + i:02x}.0", f"mlx5_{i + 2}", numa=-1) for i in range(9)]
    flat = (*nics, gpu("0000:00:1e.0", numa=-1))
    answers = both(reference, Host((Root("pci0000:00", flat, numa=-1),)), tmp_path)
    assert answers == {"0000:00:1e.0": ("mlx5_2:1", "mlx5_10:1")}


def test_a_member_of_a_bond_by_its_state_not_its_name(reference: Reference, tmp_path: Path) -> None:
    member = roce("0000:11:00.0", "mlx5_0", "eth0", master="bond0")
    free = roce("0000:21:00.0", "mlx5_1", "eth1", subnet=1)
    below = (bridge("0000:10:01.0", member, gpu("0000:12:00.0")), bridge("0000:10:02.0", free))
    host = Host((Root("pci0000:10", below),), bonds=(Net("bond0", speed=800000),))
    assert both(reference, host, tmp_path / "member") == {"0000:12:00.0": ("mlx5_1:1", "mlx5_0:1")}
    odd = mlx5("0000:11:00.0", "vagabond0")
    alone = Host((Root("pci0000:10", (bridge("0000:10:01.0", odd, gpu("0000:12:00.0")),)),))
    assert both(reference, alone, tmp_path / "name") == {"0000:12:00.0": ("vagabond0:1", None)}


def test_virtual_functions_of_one_port_are_one_nic(reference: Reference, tmp_path: Path) -> None:
    physical = "0000:11:00.0"
    functions = [roce(physical, "mlx5_0", "eth0")]
    functions += [roce(f"0000:11:00.{i}", f"mlx5_{i}", f"eth{i}", physfn=physical) for i in (1, 2)]
    gpus = [bridge(f"0000:10:0{i}.0", gpu(f"0000:1{i}:00.0")) for i in (3, 4)]
    root = Root("pci0000:10", (bridge("0000:10:01.0", *functions), *gpus))
    far = Root("pci0000:20", (bridge("0000:20:01.0", roce("0000:21:00.0", "mlx5_9", "eth9")),))
    answers = both(reference, Host((root, far)), tmp_path)
    assert answers == {
        "0000:13:00.0": ("mlx5_0:1", "mlx5_0:1"),
        "0000:14:00.0": ("mlx5_9:1", "mlx5_1:1"),
    }


def test_minimum_rates_that_mean_nothing(reference: Reference, tmp_path: Path) -> None:
    tree = write(MACHINES["slow_management"](), tmp_path)
    machine = read(tree)
    address = machine.gpus[0].pci
    # No rate is below nan, so it switches ModelExpress' filter off without a word.
    assert reference.auto(tree, address, float("nan")) == reference.auto(tree, address, 0.0)
    with pytest.raises(ValueError, match="stripe_min_rate_gbps"):
        ours(machine, address, float("nan"))
    assert ours(machine, address, 100.0) == reference.auto(tree, address, 100.0) == "mlx5_0:1"


def random_groups(source: random.Random) -> tuple[Group, ...]:
    nodes = source.choice((1, 2))
    drawn = [
        (tuple(source.choices(("nic", "gpu"), k=source.randint(0, 3))),
         tuple(source.choices(("nic", "gpu"), k=source.randint(0, 2))))
        for _ in range(source.randint(2, 4))
    ]  # fmt: skip
    made = [
        Group(switched, direct, index * nodes // len(drawn))
        for index, (switched, direct) in enumerate(drawn)
    ]
    return (Group(direct=("nic", "gpu")), *made)


def path_of(tree: Tree, address: str) -> list[str]:
    real = os.path.realpath(tree.sys / "bus/pci/devices" / address)
    return [step for step in real.split("/") if PCI_STEP.fullmatch(step)]


def cost(tree: Tree, machine: _core.Machine, picks: dict[str, str]) -> tuple[int, int, int]:
    """Return GPUs on the busiest NIC, minus the shared PCI steps, GPUs that cross a socket."""
    nics = {f"{nic.name}:1": nic for nic in machine.nics}
    nodes = {each.pci: each.numa_node for each in machine.gpus}
    shared = crossed = 0
    for address, device in picks.items():
        nic = nics[device]
        for a, b in zip(path_of(tree, address), path_of(tree, nic.pci), strict=False):
            if a != b:
                break
            shared += 1
        crossed += nic.numa_node != nodes[address]
    return max(Counter(picks.values()).values()), -shared, crossed


@pytest.mark.parametrize("seed", range(24))
def test_never_worse_on_any_tree(reference: Reference, tmp_path: Path, seed: int) -> None:
    tree = write(host_of(random_groups(random.Random(seed))), tmp_path)
    machine = read(tree)
    mine = {each.pci: ours(machine, each.pci) for each in machine.gpus}
    theirs = {each.pci: reference.auto(tree, each.pci) for each in machine.gpus}
    assert None not in mine.values()
    assert cost(tree, machine, mine) <= cost(tree, machine, theirs)  # type: ignore[arg-type]
