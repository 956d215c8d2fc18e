# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ tests of import slots and doctored plugins, cross-compiled and run under qemu-user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from arm_machine import MACHINE, SUITE, TRIPLET, cache_dir, require
from debian_root import DebianRelease
from nixl_wheels import ROOT

pytestmark = pytest.mark.aarch64


def run(*command: str | Path) -> str:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, env={**os.environ, "PATH": tools}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def program() -> Path:
    """The test program of the plugin, compiled for Arm with what it loads."""
    require("aarch64-linux-gnu-g++", "qemu-aarch64")
    gtest = DebianRelease(cache_dir(), SUITE, MACHINE).alone("libgtest-dev") / "usr"
    build = cache_dir() / "build-tests-aarch64"
    setup: list[str | Path] = [
        "meson",
        "setup",
        build,
        ROOT,
        "--cross-file",
        ROOT / f"cross/{TRIPLET}.ini",
    ]
    setup += ["-Dpython=false", "-Dunit_tests=true", "-Dwerror=true", "-Dbuildtype=plain"]
    setup += [f"-Dcpp_args=-isystem{gtest}/include", f"-Dcpp_link_args=-L{gtest}/lib/{TRIPLET}"]
    if (build / "build.ninja").is_file():
        setup.append("--reconfigure")
    run(*setup)
    targets = run("ninja", "-C", build, "-t", "targets", "all").splitlines()
    doubles = [line.split(":")[0] for line in targets if "/libstock_" in line.split(":")[0]]
    doubles = [target for target in doubles if target.endswith(".so")]
    assert len(doubles) >= 10
    program, plugin = "nixl_patch/tests/test_plugin", "nixl_patch/plugin/libplugin_UCX.so"
    run("ninja", "-C", build, "--quiet", program, plugin, *doubles)
    return build / program


def test_import_slots_and_doctored_plugins(program: Path) -> None:
    """JUMP_SLOT and GLOB_DAT of Arm: lazy, bound, read-only, two of them, none, another ABI."""
    # The cross linker leaves out libraries that a program does not call into, as this one its fake.
    preload = f"LD_PRELOAD={program.with_name('libfake_ucx.so')}"
    said = run("qemu-aarch64", "-L", f"/usr/{TRIPLET}", "-E", preload, program)
    assert "[  PASSED  ]" in said
    assert "FAILED" not in said
    for suite in ("ImportSlot", "PluginDoctored", "PluginBadUcx"):
        assert suite in said
