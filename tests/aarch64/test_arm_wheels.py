# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Patched wheels for the other machine, and our own Arm wheel on an Arm Python."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from arm_machine import MACHINE, ArmBuild, ArmMachine
from fake_wheels import check_wheel
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import plugin_path
from nixl_stripe.wheel.elf import read_shared_object
from nixl_wheels import wheel_file
from wheel_check import CheckError, auditwheel_tag, check_tag, shared_contents

pytestmark = pytest.mark.aarch64


def test_the_arm_wheel_is_built_on_this_machine(arm_nixl_wheel: Path) -> None:
    assert arm_nixl_wheel.name.startswith(f"nixl_cu12-{NEWEST}+stripe")
    # No newer glibc than the original asks for: that is what the prebuilt plugin is for.
    assert arm_nixl_wheel.name.endswith("-cp311-cp311-manylinux_2_28_aarch64.whl")
    check_wheel(arm_nixl_wheel)


def test_our_own_plugin_does_not_go_into_a_wheel_for_arm(tmp_path: Path) -> None:
    source = wheel_file("nixl-cu12", NEWEST, MACHINE)
    command: list[str | Path] = [Path(sys.executable).with_name("nixl-stripe"), "wheel"]
    done = subprocess.run(
        [*command, "--from", source, "--out", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "for aarch64: give a plugin that was built for that machine: --plugin" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_reverse_on_an_arm_machine(arm: ArmMachine, arm_site: Path, tmp_path: Path) -> None:
    """The command on the Arm Python makes the patched wheel for x86-64."""
    source = wheel_file("nixl-cu12", NEWEST)
    program = "import sys; from nixl_stripe.cli import main; sys.exit(main())"
    arguments: list[str | Path] = ["wheel", "--from", source, "--out", tmp_path, "--json"]
    ours = arm.run("-c", program, *arguments, sites=[arm_site])
    assert ours.returncode == 1
    assert "our plugin is for aarch64" in ours.stderr
    plugin: list[str | Path] = ["--plugin", plugin_path()]
    done = arm.run("-c", program, *arguments, *plugin, sites=[arm_site])
    assert done.returncode == 0, done.stderr
    built = Path(json.loads(done.stdout)["wheels"][0]["path"])
    check_wheel(built)
    with zipfile.ZipFile(built) as wheel:
        names = [name for name in wheel.namelist() if "libplugin_UCX.so" in name]
        facts = [read_shared_object(wheel.read(name)) for name in names]
    assert [fact.machine for fact in facts if fact] == ["x86_64"] * len(names)
    assert any(name.endswith(".stock") for name in names)


def test_our_arm_wheel_is_manylinux_2_28(arm_build: ArmBuild) -> None:
    assert check_tag(arm_build.wheel) == "manylinux_2_28_aarch64"


def test_the_tag_can_be_wrong(arm_build: ArmBuild, tmp_path: Path) -> None:
    """The bad flow: the same wheel under the name of an older system."""
    older = tmp_path / arm_build.wheel.name.replace("manylinux_2_28", "manylinux_2_17")
    older.write_bytes(arm_build.wheel.read_bytes())
    assert auditwheel_tag(older) == "manylinux_2_28_aarch64"
    with pytest.raises(CheckError, match="auditwheel finds manylinux_2_28_aarch64"):
        check_tag(older)


def test_nothing_of_nvidias_is_in_it(arm_build: ArmBuild, arm_nixl_wheel: Path) -> None:
    theirs = wheel_file("nixl-cu12", NEWEST, MACHINE)
    assert shared_contents(arm_build.wheel, theirs) == []
    assert shared_contents(arm_build.sdist, theirs) == []
    assert shared_contents(arm_nixl_wheel, theirs), "a patched wheel is full of theirs"


def test_the_arm_wheel_reads_a_machine(arm: ArmMachine, arm_site: Path) -> None:
    program = "import nixl_stripe as n; m = n.machine(); print(n.__version__, len(m.nics))"
    done = arm.run("-c", program, sites=[arm_site])
    assert done.returncode == 0, done.stderr
    version, nics = done.stdout.split()
    assert version == "0.1.0"
    assert nics.isdigit()
