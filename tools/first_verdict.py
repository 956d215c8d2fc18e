# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""From `pip install` to the first verdict of `verify`, in a Debian without a compiler.

The Debian is unpacked from its packages: Python, pip and what they need. It has no network but
the bed's own; every wheel was downloaded before. Exit code 1: a step failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from debian_root import DebianError, DebianRelease
from make_release import release
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.versions import NEWEST_REQUIREMENT
from wheel_build import DEBIAN_PYTHONS, BuildError
from wheel_check import CheckError

ROOT = Path(__file__).parents[1]
#: Where the Debian's own user finds things.
_HOME, _WHEELS = "/mnt/home", "/mnt/wheels"
_MOUNTS = ("dev", "proc", "sys")
_COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++", "c99", "tcc")
_GLIBCS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


class StepError(RuntimeError):
    """A step of the newcomer failed; the message has what it said."""


def debian(cache: Path, python: str) -> Path:
    """Return the root of a Debian with this Python and pip; StepError where it has a compiler."""
    packages = [f"python{python}", f"python{python}-venv", "libstdc++6", "base-files", "coreutils"]
    release_of = DebianRelease(cache, DEBIAN_PYTHONS[python], platform.machine())
    root = release_of.root("first-verdict", [*packages, "dash", "mount"])
    found = [
        name
        for name in _COMPILERS
        for folder in ("bin", "usr/bin")
        if (root / folder / name).exists()
    ]
    if found:
        raise StepError(f"this Debian has a compiler: {', '.join(found)}")
    # As its installation would: Debian's pip does not start without.
    authorities = root / "etc/ssl/certs/ca-certificates.crt"
    authorities.parent.mkdir(parents=True, exist_ok=True)
    each = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    authorities.write_bytes(b"".join(path.read_bytes() for path in each))
    return root


def download(wheel: Path, python: str, folder: Path) -> None:
    """Download what the wheel with its extra `lab` requires, and NIXL without torch."""
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:"]
    command += ["--python-version", python, "--dest", str(folder)]
    for glibc in _GLIBCS:
        command += ["--platform", f"{glibc}_{platform.machine()}"]
    for what in ([f"{wheel}[lab]"], ["--no-deps", NEWEST_REQUIREMENT]):
        done = subprocess.run([*command, *what], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StepError(f"pip cannot download {what[-1]}: {done.stderr.strip()}")


def steps(python: str) -> dict[str, str]:
    """Return what the newcomer types, by what it is for."""
    pip = f"{_HOME}/venv/bin/pip install --quiet --no-index --find-links {_WHEELS}"
    return {
        "environment": f"python{python} -m venv {_HOME}/venv",
        "install": f"{pip} 'nixl-stripe[lab]' && {pip} --no-deps nixl-cu12",
        "patch": f"{_HOME}/venv/bin/nixl-stripe patch",
        "verify": f"{_HOME}/venv/bin/nixl-stripe verify --bed tcp",
    }


class Machine:
    """That Debian as a root file system of processes; what is mounted in it goes with them."""

    def __init__(self, root: Path, scratch: Path, wheels: Path) -> None:
        self._binds = {"mnt": scratch, "tmp": scratch / "tmp", "mnt/wheels": wheels}
        for name in ("home", "old", "tmp", "wheels"):
            (scratch / name).mkdir(exist_ok=True)
        for name in (*self._binds, *_MOUNTS):
            if name != "mnt/wheels":
                (root / name).mkdir(exist_ok=True)  # Debian makes some when it is installed
        self._root = root

    def types(self, command: str) -> str:
        """Run a line as the newcomer; return what it says. StepError where it fails."""
        here = shlex.quote(str(self._root))
        lines = ["set -e", f"mount --bind {here} {here}"]
        binds = {**self._binds, **{name: Path("/", name) for name in _MOUNTS}}
        for name, source in binds.items():
            where = shlex.quote(str(self._root / name))
            lines.append(f"mount --rbind {shlex.quote(str(source))} {where}")
        # Not chroot: what joins the namespace of the rails again would be out of it.
        lines += [f"cd {here}", "pivot_root . mnt/old", "umount -l /mnt/old"]
        lines.append('exec /bin/sh -c "$1"')
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        done = subprocess.run(
            ["unshare", *own, "--mount", "--net", "sh", "-c", "\n".join(lines), "sh", command],
            env={"HOME": _HOME, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        if done.returncode != 0:
            raise StepError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def measure(wheel: Path, python: str, cache: Path) -> dict[str, Any]:
    """Do all steps in turn; return their seconds, and the verdict's last words."""
    root = debian(cache, python)
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-first-") as folder:
        download(wheel, python, Path(folder, "downloads"))
        scratch = Path(folder, "scratch")
        scratch.mkdir()
        machine = Machine(root, scratch, Path(folder, "downloads"))
        glibc = machine.types(f"python{python} -c 'import platform as p; print(p.libc_ver()[1])'")
        seconds, cpu, said = {}, {}, ""
        for name, line in steps(python).items():
            start, used = time.monotonic(), _cpu_seconds()
            said = machine.types(line)
            seconds[name] = round(time.monotonic() - start, 1)
            cpu[name] = round(_cpu_seconds() - used, 1)
    return {
        "machine": {"cpus": os.cpu_count(), "python": python, "glibc": glibc.strip()},
        "versions": {"nixl_stripe": wheel.name, "nixl": NEWEST_REQUIREMENT},
        "steps": steps(python),
        "seconds": {**seconds, "all": round(sum(seconds.values()), 1)},
        "cpu_seconds": {**cpu, "all": round(sum(cpu.values()), 1)},
        "verdict": [line.strip() for line in said.strip().splitlines()],
    }


def _cpu_seconds() -> float:
    """Return the processor seconds of all children that have ended: a busy machine adds few."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; see the module for the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/first-verdict", description=__doc__)
    parser.add_argument("--python", choices=DEBIAN_PYTHONS, default="3.13", help="[3.13]")
    parser.add_argument("--wheel", type=Path, help="of scripts/release; else it is built")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "release")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here")
    options = parser.parse_args(argv)
    origin, cache = Origin(["scripts/first-verdict"]), options.cache.resolve()
    try:
        with tempfile.TemporaryDirectory() as out:
            wheel = (
                options.wheel
                or release(Path(out), cache, [platform.machine()], [options.python])[1]
            )
            found = measure(wheel.resolve(), options.python, cache)
    except (BuildError, CheckError, DebianError, StepError) as error:
        raise SystemExit(f"first-verdict: {error}") from error
    for name, seconds in found["seconds"].items():
        print(f"{name:12} {seconds:6.1f} s, {found['cpu_seconds'][name]:6.1f} s of processor")
    print("\n".join(found["verdict"]))
    if options.json:
        text = json.dumps({**origin.taken(), "schema": 1, **found}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
