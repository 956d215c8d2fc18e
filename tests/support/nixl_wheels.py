# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The published NIXL wheels that the tests run against: downloaded once, unpacked, importable.

Wheels are kept in `$NIXL_STRIPE_WHEEL_CACHE` (default `.cache/wheels` at the root of the
repository), fetched with the user's own pip where absent, and never committed.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nixl_stripe.versions import NEWEST

ROOT = Path(__file__).parents[2]

#: Distribution and version of every wheel that the plugin is tested with, newest first, and the UCX
#: in it. The only list of versions of the tests: a new NIXL needs its UCX here.
WHEELS: dict[tuple[str, str], str] = {
    ("nixl-cu12", NEWEST): "1.23.0",
    ("nixl-cu12", "1.3.2"): "1.21.0",
    ("nixl-cu12", "1.0.1"): "1.21.0",
    ("nixl-cu12", "0.10.1"): "1.20.0",
    ("nixl-cu13", NEWEST): "1.23.0",
}
NIXL_VERSIONS = tuple(WHEELS)

#: For `pytest.mark.parametrize`: readable ids in the same order.
NIXL_IDS: tuple[str, ...] = tuple(f"{name}-{version}" for name, version in NIXL_VERSIONS)


def module_name(name: str) -> str:
    """Return the import name of a NIXL distribution: `nixl-cu12` -> `nixl_cu12`."""
    return name.replace("-", "_")


def plugin_folder(site: Path, name: str) -> Path:
    """Return the folder that NIXL, unpacked or installed in `site`, loads its plugins from."""
    return site / f".{module_name(name)}.mesonpy.libs" / "plugins"


def cache_dir() -> Path:
    """Return the folder that keeps the wheels; it is created where absent."""
    named = os.environ.get("NIXL_STRIPE_WHEEL_CACHE")
    folder = Path(named) if named else ROOT / ".cache" / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other test processes from fetching into `folder` at the same time."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def wheel_file(name: str, version: str, machine: str | None = None) -> Path:
    """Return the published wheel, from the cache or else from the user's package index.

    machine: another one than this, for CPython 3.11: `aarch64`, kept in a folder of that name.
    Raises RuntimeError with pip's own words where pip cannot get it.
    """
    folder = cache_dir()
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    foreign = []
    if machine is not None:
        folder, tag = folder / machine, "cp311"
        folder.mkdir(exist_ok=True)
        foreign = ["--python-version", "3.11"]
        for glibc in ("manylinux_2_28", "manylinux_2_27", "manylinux2014"):
            foreign += ["--platform", f"{glibc}_{machine}"]
    with _alone(folder):
        for wheel in _kept(folder, name, version, tag):
            return wheel
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(folder), *foreign, f"{name}=={version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pip cannot download {name}=={version}: {done.stderr.strip()}")
        return next(_kept(folder, name, version, tag))


def _kept(folder: Path, name: str, version: str, tag: str) -> Iterator[Path]:
    """Yield the wheels in `folder` that a Python of `tag` (`cp311`) takes."""
    for wheel in sorted(folder.glob(f"{module_name(name)}-{version}-*.whl")):
        pythons, abi = wheel.stem.split("-")[-3:-1]
        if tag in pythons.split(".") or abi in ("abi3", "none"):
            yield wheel


def unpack(wheel: Path, site: Path) -> Path:
    """Unpack `wheel` into the new folder `site` with the file modes it records; return `site`."""
    site.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            target = Path(archive.extract(member, site))
            mode = member.external_attr >> 16
            if mode and not member.is_dir():
                target.chmod(mode & 0o777)
    return site


def install_for(machine: str, python: str, folder: Path, *what: str | Path) -> Path:
    """Have pip install wheels, and all that they require, into `folder` for another Python.

    Raises RuntimeError with pip's own words where it cannot.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    command += ["--no-compile", "--python-version", python, "--target", str(folder)]
    for glibc in ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"):
        command += ["--platform", f"{glibc}_{machine}"]
    done = subprocess.run([*command, *map(str, what)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip cannot install for {machine}: {done.stderr.strip()}")
    return folder


def torch_stand_in(folder: Path) -> Path:
    """Make `torch` importable from `folder` (returned): enough to load NIXL, nothing else.

    Wheels before 1.4.1 import torch for the name `torch.Tensor` alone.
    """
    package = folder / "torch"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(
        '"""Stands in for torch where NIXL only needs the name of its tensor class."""\n\n\n'
        "class Tensor:\n    pass\n",
        encoding="utf-8",
    )
    return folder


def environment(*sites: Path, **variables: str) -> dict[str, str]:
    """Return this environment with `sites` first on PYTHONPATH and no `UCX_*`/`NIXL_*` left over.

    `variables` are set on top. For subprocesses that import an unpacked NIXL.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("UCX_", "NIXL_")) and key != "PYTHONPATH"
    }
    paths = [str(site) for site in sites]
    if "PYTHONPATH" in os.environ:
        paths.append(os.environ["PYTHONPATH"])
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), **variables}


def run_program(
    program: str,
    *arguments: str | Path,
    sites: Iterable[Path],
    timeout: float = 120,
    under: Sequence[str] = (),
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a program with NIXL from `sites` (see `environment`); it must end with 0.

    under: a command that starts it, such as `unshare`.
    """
    done = subprocess.run(
        [*under, sys.executable, "-c", program, *map(str, arguments)],
        env=environment(*sites, **variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


_OPTIONS = """
from {module}._api import nixl_agent, nixl_agent_config
agent = nixl_agent("probe", nixl_agent_config(backends=[]))
print(" ".join(sorted(agent.get_plugin_params("UCX"))))
"""


def ucx_options(site: Path, torch: Path, name: str) -> list[str]:
    """Return the parameters that the UCX backend of the NIXL in `site` advertises."""
    done = subprocess.run(
        [sys.executable, "-c", _OPTIONS.format(module=module_name(name))],
        env=environment(site, torch, UCX_MODULES="^ib"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()
