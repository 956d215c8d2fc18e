# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The init containers' own command where a pod has all, all but one, one or none of its NICs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from other_sys import over_sys, why_not
from sysfs_machines import two_sockets
from sysfs_trees import Port, Tree, mlx5, write

KUBERNETES = Path(__file__).parents[2] / "examples/kubernetes"
_COMMAND = re.compile(r"command: \[nixl-stripe, (doctor, [^\]]*)\]")


def commands() -> dict[str, list[str]]:
    """Return what runs doctor, by the manifest that says it."""
    found = {}
    for file in sorted(KUBERNETES.rglob("*.yaml")):
        for arguments in _COMMAND.findall(file.read_text("utf-8")):
            found[file.name] = [each.strip() for each in arguments.split(",")]
    return found


def answer(tree: Tree, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the command on that machine, with no NIXL to find and nothing of this one's settings."""
    command = [sys.executable, "-m", "nixl_stripe", *arguments]
    return subprocess.run(
        [*over_sys(tree), *command],
        env={"PATH": "/usr/bin:/bin", "NIXL_UCX_STRIPE": "all"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def pod(tmp_path: Path, request: pytest.FixtureRequest) -> Tree:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    nics = (
        mlx5(f"0000:{i + 1:x}1:00.0", f"mlx5_{i}", Port(lid=i + 1)) for i in range(request.param)
    )
    return write(two_sockets(*nics, gpus=0), tmp_path)


def test_every_manifest_with_a_program_of_ours_asks_doctor() -> None:
    asked = commands()
    assert set(asked) == {"check.yaml", "initiator.yaml", "pairs.yaml", "target.yaml"}
    assert {tuple(each) for each in asked.values()} == {("doctor", "--expect-nics=8")}


@pytest.mark.parametrize("pod", [8], indirect=True, ids=["all"])
def test_a_pod_with_its_nics_starts(pod: Tree) -> None:
    done = answer(pod, commands()["target.yaml"])
    assert done.returncode == 0, done.stdout
    assert "8 RDMA NIC(s) in the plan" in " ".join(done.stdout.split())


@pytest.mark.parametrize("pod", [0, 1, 7], indirect=True, ids=["none", "one", "all but one"])
def test_a_pod_that_lacks_a_nic_does_not_start_bad_flow(pod: Tree) -> None:
    done = answer(pod, commands()["target.yaml"])
    assert done.returncode == 1, done.stdout
    assert re.search(r"fail +nics-expected +[017] RDMA NIC", done.stdout)


@pytest.mark.parametrize("pod", [8], indirect=True, ids=["all"])
def test_strict_takes_a_warning_for_a_failure_bad_flow(pod: Tree) -> None:
    only = ["--only", "nics", "--only", "pcie-link"]
    strict = [*commands()["target.yaml"], "--strict", *only]
    assert answer(pod, strict).returncode == 0
    (pod.sys / "bus/pci/devices/0000:11:00.0/current_link_width").write_text("8\n")
    done = answer(pod, strict)
    assert done.returncode == 1
    assert re.search(r"warn +pcie-link", done.stdout)
    lenient = [each for each in strict if each != "--strict"]
    assert answer(pod, lenient).returncode == 0
