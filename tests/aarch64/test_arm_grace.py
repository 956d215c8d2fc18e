# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where Grace differs for UCX: the options of the Arm wheel, and the ucx.conf of a system's UCX.

UCX tells a Grace by /proc/cpuinfo, which the emulated machine can be given.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from arm_machine import ArmMachine
from nixl_agents import run_agents
from nixl_stripe.versions import NEWEST
from nixl_wheels import ROOT

pytestmark = pytest.mark.aarch64

#: One core of a Grace (Neoverse V2), as its kernel describes it.
CPU = (
    "processor\t: {core}\nBogoMIPS\t: 2000.00\nFeatures\t: fp asimd evtstrm aes sve sve2\n"
    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd4f\n"
    "CPU revision\t: 0\n\n"
)
#: The distance model as UCX's own file has it for Grace, and a rail count to see the file read.
UCX_CONF = "[A Grace]\nCPU model=Grace\nUCX_DISTANCE_BW=auto,sys:16500MBs\nUCX_MAX_RMA_RAILS=3\n"

#: Settings of transports, not of contexts: the program prints none of those.
OF_TRANSPORTS = {
    *("RC_RETRY_COUNT", "RC_TIMEOUT"),
    *("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_USER_TIMEOUT"),
}

#: Prints every option of the UCX in a wheel, contexts' and the process's, with its value.
PROGRAM = r"""
import ctypes, pathlib, sys
libraries = pathlib.Path(sys.argv[1]) / "nixl_cu12.libs"
ucp, ucs = (ctypes.CDLL(str(next(libraries.glob(f"lib{n}-*.so*")))) for n in ("ucp", "ucs"))
c = ctypes.CDLL(None)
c.fdopen.restype = ctypes.c_void_p
config = ctypes.c_void_p()
assert ucp.ucp_config_read(None, None, ctypes.byref(config)) & 0xFF == 0
out = ctypes.c_void_p(c.fdopen(1, b"w"))
ucp.ucp_config_print(config, out, b"", 1)
ucs.ucs_global_opts_print(out, 1)
c.fflush(out)
"""


def options(python: Sequence[str], site: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))}
    done = subprocess.run(
        [*python, "-c", PROGRAM, str(site)],
        env={**kept, "UCX_MODULES": "^ib"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(re.findall(r"(?m)^UCX_(\w+)=(.*)$", done.stdout))


def machine_with(arm: ArmMachine, folder: Path, files: dict[str, str]) -> ArmMachine:
    """Return a twin of `arm` whose programs find `files` in place of this system's."""
    shutil.copytree(arm.root, folder, symlinks=True, copy_function=os.link)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return ArmMachine(folder)


@pytest.fixture(scope="module")
def grace(arm: ArmMachine, tmp_path_factory: pytest.TempPathFactory) -> ArmMachine:
    """A Grace whose system has a UCX package with its ucx.conf."""
    cpus = "".join(CPU.format(core=core) for core in range(2))
    files = {"proc/cpuinfo": cpus, "etc/ucx/ucx.conf": UCX_CONF}
    return machine_with(arm, tmp_path_factory.mktemp("grace") / "root", files)


def test_ucx_has_the_same_options_and_defaults_on_arm(
    arm: ArmMachine, stock_arm: Path, unpacked: Callable[[str, str], Path]
) -> None:
    here = options([sys.executable], unpacked("nixl-cu12", NEWEST))
    there = options(arm.python, stock_arm)
    differing = {key for key in {*here, *there} if here.get(key) != there.get(key)}
    # How memory is copied on x86-64: nothing that decides which NICs carry data.
    assert differing <= {
        "BUILTIN_MEMCPY_MIN",
        "BUILTIN_MEMCPY_MAX",
        "NT_BUFFER_TRANSFER_MIN",
        "NT_DEST_THRESHOLD",
    }
    source = (ROOT / "nixl_patch/ucx/settings.cpp").read_text("utf-8")
    ours = set(re.findall(r'\{"([A-Z_]+)",', source))
    assert len(ours) >= 7
    assert ours - OF_TRANSPORTS <= set(there)


def test_the_wheel_ships_no_ucx_conf(stock_arm: Path) -> None:
    assert not list(stock_arm.rglob("ucx.conf"))


def test_a_systems_ucx_conf_is_read_on_grace_alone(
    arm: ArmMachine, grace: ArmMachine, stock_arm: Path, tmp_path: Path
) -> None:
    """The wheel's own UCX reads /etc/ucx/ucx.conf, which packages of UCX install."""
    found = options(grace.python, stock_arm)
    assert found["MAX_RMA_RAILS"] == "3"
    assert "sys:16500.00MBps" in found["DISTANCE_BW"]
    other = machine_with(arm, tmp_path / "root", {"etc/ucx/ucx.conf": UCX_CONF})
    plain = options(other.python, stock_arm)
    assert plain["MAX_RMA_RAILS"] == "1"
    assert "sys:auto" in plain["DISTANCE_BW"]


def test_parameters_beat_that_file(grace: ArmMachine, patched_arm: Path, arm_site: Path) -> None:
    steps = [{}, {"max_rma_rails": "4"}]
    outcome = run_agents(patched_arm, "nixl-cu12", steps, torch=arm_site, python=grace.python)
    assert [step.error for step in outcome.steps] == [None, None]
    assert outcome.applied == ["MAX_RMA_RAILS 4"]
