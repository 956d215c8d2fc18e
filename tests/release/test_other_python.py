# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A wheel of scripts/release for a Python that is not the one that built it, on that Python."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from arm_machine import cache_dir
from debian_root import DebianRelease
from make_release import release
from nixl_stripe.versions import NEWEST
from nixl_wheels import install_for, wheel_file
from released_files import Released
from wheel_build import DEBIAN_PYTHONS, BuildError, Target, python_headers
from wheel_check import shared_contents

pytestmark = pytest.mark.release

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed by pip with what it requires."""
    folder = tmp_path_factory.mktemp("other") / "site"
    return install_for("x86_64", released.python, folder, released.wheel)


@pytest.fixture(scope="module")
def core(released: Released) -> str:
    """The name of that Python's extension module."""
    return f"_core.cpython-{released.python.replace('.', '')}-x86_64-linux-gnu.so"


@pytest.fixture(scope="module")
def python(released: Released) -> tuple[str, ...]:
    """Debian's Python with Debian's C library, by way of its own loader: no chroot."""
    version = released.python
    packages = [f"python{version}-minimal", f"libpython{version}-stdlib", "libstdc++6"]
    root = DebianRelease(cache_dir(), DEBIAN_PYTHONS[version], "x86_64").root("python", packages)
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = libraries / "ld-linux-x86-64.so.2"
    return (str(loader), "--library-path", str(libraries), str(root / f"usr/bin/python{version}"))


def run(
    python: Sequence[str], program: str, sites: Sequence[Path]
) -> subprocess.CompletedProcess[str]:
    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, sites)),
        "PYTHONHOME": str(Path(python[-1]).parents[1]),
    }
    return subprocess.run(
        [*python, "-c", program],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_works_on_that_python(
    released: Released, site: Path, core: str, python: tuple[str, ...]
) -> None:
    program = "import sys, nixl_stripe as n; n.machine(); print(sys.version_info[:2], n._core)"
    done = run(python, program, [site])
    assert done.returncode == 0, done.stderr
    assert f"({released.python.replace('.', ', ')})" in done.stdout
    assert core in done.stdout


def test_errors_cross_the_extension_module(site: Path, python: tuple[str, ...]) -> None:
    """Exceptions of C++ are caught by type in it, with a libstdc++ that is not the builder's."""
    program = "import nixl_stripe as n; n.plan(max_rma_rails=65)"
    done = run(python, program, [site])
    assert done.returncode == 1
    assert "ValueError: max_rma_rails='65': accepted" in done.stderr


def test_the_command_works_there(site: Path, python: tuple[str, ...]) -> None:
    program = (
        "import sys, nixl_stripe.cli as c; sys.argv[1:] = ['topo', '--json']; sys.exit(c.main())"
    )
    done = run(python, program, [site])
    assert done.returncode == 0, done.stderr
    assert '"nics"' in done.stdout


def test_it_is_not_for_this_python(site: Path, core: str) -> None:
    """The bad flow: only the extension module of that Python is inside."""
    assert [path.name for path in site.rglob("_core*.so")] == [core]


def test_it_holds_what_pip_installs_from_source(released: Released) -> None:
    """Beside the extension module, the list of contents, and pip's own notes, which differ."""
    installed = importlib.metadata.distribution("nixl-stripe").files or []
    from_source = {str(path) for path in installed if not str(path).startswith("..")}
    with zipfile.ZipFile(released.wheel) as archive:
        ours = set(archive.namelist())
    differing = {
        name for name in ours ^ from_source if "/_core." not in name and "__pycache__" not in name
    }
    notes = {"INSTALLER", "REQUESTED", "direct_url.json"}
    assert {Path(name).name for name in differing} - notes == {"nixl_stripe.cdx.json"}


def test_nothing_of_nvidias_is_in_it(released: Released) -> None:
    theirs = wheel_file("nixl-cu12", NEWEST)
    assert shared_contents(released.wheel, theirs) == []
    assert shared_contents(released.sdist, theirs) == []


def test_no_folder_of_the_machine_that_built_it_is_in_it(released: Released) -> None:
    """Such a path tells of a stranger's machine, and two builds would differ by it."""
    folders = [str(each.resolve()).encode() for each in (cache_dir(), Path(sys.prefix), ROOT)]
    with zipfile.ZipFile(released.wheel) as archive:
        for name in archive.namelist():
            text = archive.read(name)
            assert [each for each in folders if each in text] == [], name


def test_a_python_without_headers_is_left_out_or_refused(tmp_path: Path) -> None:
    assert python_headers(Target("aarch64", "3.9999"), tmp_path) is None
    with pytest.raises(BuildError, match="no Python left to build for"):
        release(tmp_path / "dist", cache_dir(), ["aarch64"], ["3.9999"])
