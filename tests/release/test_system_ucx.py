# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A NIXL that was built on the system's UCX: published NIXL with Debian's UCX in its place.

NIXL 0.10.1 needs no function of UCX that Debian 12's lacks, so its stock plugin runs with any of
these. Debian 13's UCX needs a newer C library than older systems have: it comes with its own, by
way of its loader, without a chroot.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from arm_machine import cache_dir
from debian_root import DebianRelease
from nixl_stripe.wheel import find_in, patch_folder
from nixl_wheels import environment, torch_stand_in

pytestmark = pytest.mark.release

WheelOf = Callable[[str, str], Path]
NIXL = ("nixl-cu12", "0.10.1")
LIBRARIES = ("libucp", "libucs", "libuct", "libucm")

#: Creates an engine for each set of parameters, writes 1 MiB to itself, compares, and says what
#: came of it.
PROGRAM = """
import ctypes, json, os, sys
from nixl_cu12._api import nixl_agent, nixl_agent_config

SIZE = 1 << 20

def write(name, params):
    agent = nixl_agent(name, nixl_agent_config(enable_prog_thread=True, backends=[]))
    agent.create_backend("UCX", params)
    buffers = [ctypes.create_string_buffer(SIZE) for _ in range(2)]
    spans = [(ctypes.addressof(each), SIZE, 0) for each in buffers]
    ctypes.memset(buffers[0], 7, SIZE)
    for span in spans:
        agent.register_memory([(*span, "")], "DRAM")
    descs = [agent.get_xfer_descs([span], "DRAM") for span in spans]
    handle = agent.initialize_xfer("WRITE", *descs, agent.name)
    state = agent.transfer(handle)
    while state == "PROC":
        state = agent.check_xfer_state(handle)
    return state if buffers[0].raw == buffers[1].raw else "other bytes"

done = []
for number, params in enumerate(json.loads(sys.argv[1])):
    try:
        done.append(write(f"agent{number}", params))
    except Exception as error:
        done.append(str(error))
with open("/proc/self/maps") as maps:
    ucx = next(line.split()[-1] for line in maps if "libucp" in line)
print("OUTCOME", json.dumps([ucx, done]), flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class System:
    """A release's UCX: its folder, and what starts a Python with the release's C library."""

    libraries: Path
    loader: tuple[str, ...] = ()

    def site(self, stock: Path, folder: Path) -> Path:
        """Return a patched copy of an unpacked NIXL that has this UCX instead of its own."""
        shutil.copytree(stock, folder)
        bundled = folder / "nixl_cu12.libs"
        for library in LIBRARIES:
            (own,) = bundled.glob(f"{library}-*.so*")
            own.unlink()
            own.symlink_to(self.libraries / f"{library}.so.0")
        shutil.rmtree(bundled / "ucx")
        for found in find_in(folder):
            patch_folder(found)
        return folder

    def run(self, site: Path, torch: Path, trials: list[dict[str, str]]) -> tuple[str, list[str]]:
        """Return the file of the UCX that was loaded, and what came of each set of parameters."""
        packages = Path(sysconfig.get_path("purelib"))
        python = getattr(sys, "_base_executable", sys.executable)
        done = subprocess.run(
            [*self.loader, python, "-c", PROGRAM, json.dumps(trials)],
            env=environment(
                *(site, torch, packages), UCX_MODULES="^ib", LD_LIBRARY_PATH=str(self.libraries)
            ),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        line = next(line for line in done.stdout.splitlines() if line.startswith("OUTCOME "))
        found: tuple[str, list[str]] = tuple(json.loads(line.removeprefix("OUTCOME ")))
        return found


def debian12() -> System:
    root = DebianRelease(cache_dir(), "bookworm", "x86_64").alone("libucx0")
    return System(root / "usr/lib/x86_64-linux-gnu")


def debian13() -> System:
    release = DebianRelease(cache_dir(), "trixie", "x86_64")
    libraries = release.alone("libucx0") / "usr/lib/x86_64-linux-gnu"
    libc = release.alone("libc6") / "usr/lib/x86_64-linux-gnu"
    here = ":".join(map(str, (libc, libraries, *_system_folders())))
    return System(libraries, (str(libc / "ld-linux-x86-64.so.2"), "--library-path", here))


def _system_folders() -> list[str]:
    """Return where this system keeps the libraries that a Python needs."""
    return ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64"]


def outcome(
    system: System, unpacked: WheelOf, tmp_path: Path, trials: list[dict[str, str]]
) -> list[Any]:
    site = system.site(unpacked(*NIXL), tmp_path / "site")
    ucx, done = system.run(site, torch_stand_in(tmp_path / "torch"), trials)
    assert Path(ucx).parent == system.libraries, "another UCX was loaded"
    return done


def test_a_ucx_without_rails_says_so(unpacked: WheelOf, tmp_path: Path) -> None:
    """Debian 12's 1.13 knows no rail count: an error that names it; the set of NICs holds."""
    trials: list[dict[str, str]] = [
        {},
        {"max_rma_rails": "4"},
        {"stripe": "all"},
        {"device_list": "lo", "engine_config": "TLS=tcp"},
        {"max_rma_rails": "65"},
    ]
    plain, rails, chosen, listed, bad = outcome(debian12(), unpacked, tmp_path, trials)
    assert plain == chosen == listed == "DONE"
    assert rails == "UCX backend: UCX 1.13.1 has no MAX_RMA_RAILS"
    assert bad.startswith("max_rma_rails='65': accepted:")


def test_a_ucx_with_rails_does_as_the_one_in_the_wheel(unpacked: WheelOf, tmp_path: Path) -> None:
    """Debian 13's 1.18 takes and gives back all that is set for these."""
    trials: list[dict[str, str]] = [
        {},
        {"max_rma_rails": "4"},
        {"stripe": "all", "stripe_small": "spread"},
        {"on_nic_loss": "failover"},
        {"device_list": ",,,"},
    ]
    plain, rails, striped, lost, bad = outcome(debian13(), unpacked, tmp_path, trials)
    assert plain == rails == striped == "DONE"
    assert lost.startswith("on_nic_loss='failover'")
    assert bad.startswith("device_list=")
