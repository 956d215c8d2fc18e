# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""An emulated Arm machine, and our own Arm wheel and the patched NIXL made on this one for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from arm_machine import MACHINE, PYTHON, ArmBuild, ArmMachine, cache_dir, require
from make_release import release
from nixl_stripe.versions import NEWEST
from nixl_wheels import install_for, unpack, wheel_file


@pytest.fixture(scope="session")
def arm() -> ArmMachine:
    return ArmMachine.get()


@pytest.fixture(scope="session")
def arm_build(tmp_path_factory: pytest.TempPathFactory) -> ArmBuild:
    """Made by scripts/release of the commit that is checked out, its checks passed."""
    require("aarch64-linux-gnu-g++")
    out = tmp_path_factory.mktemp("dist")
    sdist, wheel = release(out, cache_dir(), [MACHINE], [PYTHON])
    return ArmBuild(sdist, wheel, out / "plugins" / MACHINE / "libplugin_UCX.so")


@pytest.fixture(scope="session")
def arm_site(arm_build: ArmBuild, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the Arm Python: nixl_stripe for Arm with what it requires, and numpy."""
    folder = tmp_path_factory.mktemp("arm") / "site"
    return install_for(MACHINE, PYTHON, folder, arm_build.wheel, "numpy")


@pytest.fixture(scope="session")
def stock_arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published NIXL for Arm, unpacked."""
    wheel = wheel_file("nixl-cu12", NEWEST, MACHINE)
    return unpack(wheel, tmp_path_factory.mktemp("stock") / "site")


@pytest.fixture(scope="session")
def arm_nixl_wheel(arm_build: ArmBuild, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The patched NIXL for Arm, made here by the command from what the user's pip downloads."""
    out = tmp_path_factory.mktemp("wheels")
    command: list[str | Path] = [Path(sys.executable).with_name("nixl-stripe"), "wheel"]
    command += ["--from", f"nixl-cu12=={NEWEST}"]
    command += ["--platform", f"manylinux_2_28_{MACHINE}", "--python-version", PYTHON, "--json"]
    command += ["--plugin", arm_build.plugin, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = json.loads(done.stdout)["wheels"]
    return Path(wheel["path"])


@pytest.fixture(scope="session")
def patched_arm(arm_nixl_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(arm_nixl_wheel, tmp_path_factory.mktemp("patched") / "site")
