# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`stripe=best`: what it takes on known machines, and that no set carries more by the model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from memory_folders import IN_MEMORY
from nixl_stripe import _core
from nixl_stripe.cli import main
from nixl_stripe.planning.planner import plan
from random_hosts import Group, groups, host_of
from sysfs_machines import MACHINES
from sysfs_situations_ports import EVERY_SITUATION
from sysfs_trees import Host, Port, Root, bridge, gpu, mlx5, write

TOPOLOGIES = Path(__file__).parents[1] / "data" / "topologies"


def read(host: Host) -> _core.Machine:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        tree = write(host, Path(folder))
        return _core.read_sysfs(str(tree.sys), str(tree.dev))


def of(name: str) -> _core.Machine:
    if name in MACHINES:
        return read(MACHINES[name]())
    return _core.read_machine(str(TOPOLOGIES / f"{name}.xml"))


def memories(machine: _core.Machine) -> list[str | None]:
    return [None, *(each.pci for each in machine.gpus)]


def even(machine: _core.Machine, devices: list[str], gpu_pci: str | None) -> float:
    rate = _core.even_gbps(machine, devices, gpu_pci)
    assert rate is not None
    return rate


def near(machine: _core.Machine, gpu_pci: str) -> list[str]:
    return _core.select_nics(machine, "nearest", gpu_pci).devices


@pytest.mark.parametrize(
    ("name", "count"),
    [("dgx_h100", 1), ("amd_mi300x", 1), ("p5", 4), ("hwloc-aws-p5.48xl", 4),
     ("hwloc-aws-p6-b200.48xl", 2), ("nccl-azure-ndv5", 1)],
)  # fmt: skip
def test_a_gpu_beside_nics_takes_those_alone(name: str, count: int) -> None:
    """The NICs of p6-b200 do not tell their rates there: both near ones are taken."""
    machine = of(name)
    for each in machine.gpus:
        chosen = _core.select_nics(machine, "best", each.pci)
        assert set(chosen.devices) <= set(near(machine, each.pci))
        assert len(chosen.devices) == count
        every = _core.select_nics(machine, "all", each.pci).devices
        assert even(machine, every, each.pci) < even(machine, chosen.devices, each.pci)


def test_two_gpus_of_a_p4d_have_the_nic_of_their_switch() -> None:
    machine = of("nccl-aws-p4d")
    for each in machine.gpus:
        chosen = _core.select_nics(machine, "best", each.pci).devices
        assert chosen == near(machine, each.pci)
        assert len(chosen) == 1


@pytest.mark.parametrize("name", ["gb200", "gb300"])
def test_a_grace_takes_every_nic(name: str) -> None:
    machine = of(name)
    every = _core.select_nics(machine, "all").devices
    for memory in memories(machine):
        assert _core.select_nics(machine, "best", memory).devices == every


def test_nics_below_the_gpus_root_port_are_all_near() -> None:
    nics = [mlx5(f"0000:1{i}:00.0", f"mlx5_{i}", Port(rate=100.0, lid=i + 1)) for i in range(4)]
    below = [bridge(f"0000:03:0{i}.0", nic) for i, nic in enumerate(nics)]
    switch = bridge("0000:02:00.0", bridge("0000:03:0f.0", gpu("0000:1f:00.0")), *below)
    host = Host((Root("pci0000:01", (bridge("0000:01:01.0", switch),)),))
    machine = read(host)
    chosen = _core.select_nics(machine, "best", "0000:1f:00.0")
    assert chosen.devices == [f"mlx5_{i}:1" for i in range(4)]
    assert even(machine, chosen.devices, "0000:1f:00.0") == 400


def test_two_near_nics_share_the_gpus_link() -> None:
    machine = of("p5en")  # four NICs of 200 Gbit/s beside two GPUs with links of 504
    for each in machine.gpus:
        chosen = _core.select_nics(machine, "best", each.pci)
        assert len(chosen.devices) == 3
        assert set(chosen.devices) <= set(near(machine, each.pci))
        assert even(machine, chosen.devices, each.pci) == pytest.approx(504.1, abs=0.1)


@pytest.mark.parametrize("at", EVERY_SITUATION, ids=lambda at: at.name)
def test_never_worse_than_one_nic_or_all(at: object, tmp_path: Path) -> None:
    tree = at.write(tmp_path)  # type: ignore[attr-defined]
    machine = _core.read_sysfs(str(tree.sys), str(tree.dev))
    for memory in memories(machine):
        every = _core.select_nics(machine, "all", memory).devices
        best = _core.select_nics(machine, "best", memory).devices
        if not every or _core.even_gbps(machine, every, memory) is None:
            assert best == every
            continue
        rates = [even(machine, each, memory) for each in ([device] for device in every)]
        assert even(machine, best, memory) >= 0.999 * max(*rates, even(machine, every, memory))


def test_a_narrow_uplink_is_left_out_and_all_is_worse_bad_flow(tmp_path: Path) -> None:
    at = next(each for each in EVERY_SITUATION if each.name == "narrow uplink")
    tree = at.write(tmp_path)
    machine = _core.read_sysfs(str(tree.sys), str(tree.dev))
    chosen = _core.select_nics(machine, "best")
    assert chosen.devices == ["mlx5_0:1", "mlx5_1:1", "mlx5_2:1"]
    assert chosen.excluded["mlx5_3"].endswith("carries 1200 Gbit/s without it and 126 with it")
    assert even(machine, [*chosen.devices, "mlx5_3:1"], None) == pytest.approx(126, abs=0.1)


def subsets(devices: list[str]) -> Iterator[list[str]]:
    for count in range(1, len(devices) + 1):
        yield from (list(each) for each in combinations(devices, count))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(groups())
def test_no_set_carries_more(parts: tuple[Group, ...]) -> None:
    machine = read(host_of(parts))
    every = _core.select_nics(machine, "all").devices[:8]
    stripe = "=" + ",".join(every)
    for memory in memories(machine)[:3]:
        assert _core.select_nics(machine, stripe, memory).devices == every
        best = _core.select_nics(machine, "best", memory).devices
        most = max(even(machine, each, memory) for each in subsets(every))
        assert even(machine, best, memory) >= 0.998 * most


def test_explain_shows_all_beside_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    arguments = ["plan", "--source", str(tree.sys), "--gpu", "0", "--explain"]
    assert main([*arguments, "--stripe", "best"]) == 0
    best = capsys.readouterr().out
    assert main(arguments) == 0
    every = capsys.readouterr().out
    for text in (best, every):
        assert "  best 400 Gbit/s over 1 NIC(s), mlx5_0:1\n" in text
        assert "  all 267 Gbit/s over 8 NIC(s), mlx5_0:1,mlx5_3:1" in text
    why = "NODE from GPU 0000:1b:00.0: the set carries 400 Gbit/s without it and 140 with it"
    assert best.count(f"  excluded  mlx5_3: {why}\n") == 1
    assert every.count(f"    not mlx5_3,mlx5_4,mlx5_5: {why}\n") == 1
    assert "    not " not in best
    assert "ceiling from GPU 0000:1b:00.0 504 Gbit/s, 267 Gbit/s as UCX divides buffers" in every
    assert "as UCX divides buffers" not in best


def test_a_gpu_that_is_not_there_bad_flow(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path).sys
    with pytest.raises(ValueError, match=r"stripe_gpu='0000:99:00\.0'.*GPUs here"):
        plan("best", "0000:99:00.0", tree)
    assert "no GPU is known" in "".join(plan("best", machine=tree).warnings)
    assert "no GPU is known" not in "".join(plan("best", 0, tree).warnings)


def test_the_environment_asks_for_it(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path).sys
    made = plan(None, 7, tree, environment={"NIXL_UCX_STRIPE": "best"})
    assert made.devices == ("mlx5_11:1",)
    assert (made.rails, made.even_gbps, made.ceiling_gbps) == (1, 400, 400)


def test_the_cpu_decides_what_crosses_sockets(tmp_path: Path) -> None:
    tree = write(MACHINES["dgx_h100"](), tmp_path)
    modalias = tree.sys / "devices/system/cpu/modalias"
    modalias.parent.mkdir(parents=True, exist_ok=True)
    rates = {}
    for kind, text in (
        ("unknown", ""),
        ("intel", "cpu:type:x86,ven0000fam0006mod0055:feature:,0000"),
        ("amd", "cpu:type:x86,ven0002fam0019mod0011:feature:,0000"),
    ):
        modalias.write_text(text)
        machine = _core.read_sysfs(str(tree.sys), str(tree.dev))
        assert machine.cpu == kind
        rates[kind] = even(machine, ["mlx5_11:1"], "0000:1b:00.0")
    assert rates == {"unknown": 234, "intel": 80, "amd": 128}
    assert machine.to_dict()["cpu"] == "amd"
