# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A calibration: `best` and `plan --explain` go by it on the machine that was measured alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nixl_stripe import _core
from nixl_stripe.cli import main
from nixl_stripe.planning.planner import plan
from nixl_stripe.planning.sets import compared_sets, rate_of
from sysfs_machines import MACHINES
from sysfs_trees import write

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def machine(tmp_path: Path) -> _core.Machine:
    """GB200's four NICs, all of which a GPU's memory takes by the model."""
    tree = write(MACHINES["gb200"](), tmp_path / "sys")
    return _core.read_sysfs(str(tree.sys), str(tree.dev))


def measured(machine: _core.Machine, gpu: str | None) -> str:
    devices = _core.select_nics(machine, "all").devices
    made = _core.calibration_of(machine, devices)
    for index, device in enumerate(devices):
        made.add(gpu, [device], 98.0 if index == 3 else 390.0, 400.0)
    made.add(gpu, devices, 392.0, 400.0)
    made.add(gpu, devices[:3], 1150.0, 1160.0)
    return made.text()


def written(folder: Path, text: str) -> str:
    path = folder / "calibration"
    path.write_text(text)
    return str(path)


def test_best_goes_by_what_was_measured(machine: _core.Machine, tmp_path: Path) -> None:
    every = list(_core.select_nics(machine, "all").devices)
    gpu = machine.gpus[0].pci
    assert list(plan("best", gpu, machine).devices) == every
    path = written(tmp_path, measured(machine, gpu))
    made = plan("best", gpu, machine, calibration=path)
    assert list(made.devices) == every[:3]
    assert made.even_gbps == 1150.0
    best, whole = compared_sets(made)
    assert (best.even_gbps, whole.even_gbps) == (1150.0, 392.0)
    assert best.measured
    assert whole.measured
    assert "measured: the set carries 1150 Gbit/s without it and 392 Gbit/s with it" in (
        best.left_out.values()
    )
    other = plan("all", gpu, machine, calibration=path)
    assert rate_of(other) == 392.0


def test_the_calibration_of_another_machine_is_not_used(
    machine: _core.Machine, tmp_path: Path
) -> None:
    gpu = machine.gpus[0].pci
    foreign = measured(machine, gpu).replace("cpu ", "cpu intel 6 85\n# ", 1)
    made = plan("best", gpu, machine, calibration=written(tmp_path, foreign))
    assert len(made.devices) == 4
    assert [each for each in made.warnings if "is not of this machine as it is now" in each]


def test_a_damaged_file_that_was_named_is_an_error(machine: _core.Machine, tmp_path: Path) -> None:
    path = written(tmp_path, measured(machine, None)[:-1])
    with pytest.raises(ValueError, match=r"stripe_calibration='.*no calibration"):
        plan("best", None, machine, calibration=path)
    assert plan("all", None, machine, calibration=path).active


def test_plan_says_so(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXL_UCX_STRIPE_CALIBRATION", "/no/such/file")
    tree = write(MACHINES["gb200"](), tmp_path / "sys")
    source = ["plan", "--source", str(tree.sys), "--gpu", "0", "--explain"]
    assert main([*source, "--stripe", "best"]) == 0, "another machine has no environment"
    assert "by the model of its links" in capsys.readouterr().out
    host = _core.read_sysfs(str(tree.sys))
    path = written(tmp_path, measured(host, host.gpus[0].pci))
    assert main([*source, "--stripe", "best", "--calibration", path]) == 0
    said = capsys.readouterr().out
    assert "divided over the NICs as UCX does, as measured:" in said
    assert "best 1150 Gbit/s (measured) over 3 NIC(s)" in said
    assert main([*source, "--stripe", "best", "--calibration", "here"]) == 2
    assert "an absolute path, 'off'" in capsys.readouterr().err
    assert main([*source, "--calibration", path, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["plans"]
    assert [each["measured"] for each in row["forecast"]["sets"]] == [True, True]


def test_the_least_rate_of_the_environment_counts_for_compared_sets(
    machine: _core.Machine,
) -> None:
    wish = {"NIXL_UCX_STRIPE_MIN_RATE_GBPS": "1000"}
    made = plan("all", None, machine)
    assert all(len(each.devices) == 4 for each in compared_sets(made))
    assert made.machine is not None
    made.machine.environment = wish
    assert all(each.devices == () for each in compared_sets(made))
