# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The lock: everything that the scripts install is pinned with hashes, and is what is asked for."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
#: The extras that each lock is for: see scripts/lock and make_venv in scripts/setup.sh.
LOCKS = {"docs": ("docs",), "lab": ("lab", "plot"), "test": ("test", "lab", "plot", "release")}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")


def pins(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return the requirements of a lock, each with its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^ *#.*\n", "", text)).splitlines()
    rows = [line.partition("--hash=") for line in lines]
    return [(Requirement(row), re.findall(r"sha256:[0-9a-f]{64}\b", rest)) for row, _, rest in rows]


def environment(python: str, machine: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.11",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }


def built_with() -> list[str]:
    """Return what pyproject.toml asks for to build the package."""
    text = (ROOT / "pyproject.toml").read_text()
    rows = re.search(r"(?m)^requires = \[(.*?)\]", text)
    assert rows is not None
    return re.findall(r'"([^"]+)"', rows[1])


def asked_for(extras: tuple[str, ...], here: dict[str, str]) -> list[Requirement]:
    asked = [Requirement(line) for line in importlib.metadata.requires("nixl-stripe") or ()]
    wanted = [
        row
        for row in asked
        if row.marker is None
        or any(row.marker.evaluate({**here, "extra": extra}) for extra in ("", *extras))
    ]
    assert len(wanted) > len(extras) + 2
    return [*wanted, *map(Requirement, built_with())]


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_pinned_with_hashes(name: str) -> None:
    rows = pins(name)
    assert len(rows) > 20
    for requirement, hashes in rows:
        assert [each.operator for each in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert requirement.url is None


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_there_in_a_version_that_fits(
    name: str, python: str, machine: str
) -> None:
    here = environment(python, machine)
    chosen: dict[str, str] = {}
    for requirement, _ in pins(name):
        if requirement.marker is None or requirement.marker.evaluate(here):
            project = canonicalize_name(requirement.name)
            assert project not in chosen, f"{project} twice"
            chosen[project] = next(iter(requirement.specifier)).version
    for wish in asked_for(LOCKS[name], here):
        assert wish.specifier.contains(chosen[canonicalize_name(wish.name)]), wish


def test_benches_and_tests_have_the_same_versions() -> None:
    """Not so the documents: Sphinx's extensions ask for an older Markdown reader on Python 3.10."""
    rows = {
        name: {f"{row.name}{row.specifier}" for row, _ in pins(name)} for name in ("lab", "test")
    }
    assert rows["lab"] < rows["test"]


def test_what_builds_the_package_is_what_pyproject_asks_for() -> None:
    text = (ROOT / "requirements" / "build.in").read_text()
    assert [line for line in text.splitlines() if not line.startswith("#")] == built_with()


@pytest.mark.parametrize("name", LOCKS)
def test_no_index_is_named(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "sha256:" in text
    assert re.findall(r"(?m)://|file:|^-.*|^[^#].*/", text) == []


def test_these_tests_run_with_what_it_pins() -> None:
    """The scripts install from it; another pytest than its own would show that they do not."""
    here = [row for row, _ in pins("test") if row.marker is None or row.marker.evaluate()]
    wanted = {row.name: next(iter(row.specifier)).version for row in here}
    assert importlib.metadata.version("pytest") == wanted["pytest"]
    assert importlib.metadata.version("hypothesis") == wanted["hypothesis"]


def test_pip_refuses_another_file_bad_flow(tmp_path: Path) -> None:
    """What the hashes are for."""
    wrong = tmp_path / "wrong.txt"
    rows = [f"{row} --hash=sha256:{'0' * 64}" for row, _ in pins("lab") if row.name == "click"]
    wrong.write_text(rows[0] + "\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest"]
    done = subprocess.run(
        [*command, str(tmp_path), "--require-hashes", "-r", str(wrong)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_clients_keep_their_own_pydantic() -> None:
    brought = {canonicalize_name(row.name) for row, _ in pins("lab")}
    assert brought.isdisjoint({"pydantic", "pydantic-core"}), "inference engines pin it"
    assert brought.isdisjoint({"rich", "typer"}), "the base is click and packaging"
