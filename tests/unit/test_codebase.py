# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the source tree itself: format, lint and types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
    ],
    ids=["lint", "format", "types"],
)
def test_python_tools_are_content(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _tracked(*suffixes: str) -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", *(f"*{suffix}" for suffix in suffixes)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def _unformatted(folder: Path, sources: list[str]) -> str:
    tool = str(Path(sys.executable).with_name("clang-format"))
    style = f"--style=file:{ROOT / '.clang-format'}"
    done = subprocess.run(
        [tool, "--dry-run", "-Werror", style, *sources],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


def test_c_and_cpp_are_formatted_wherever_they_are() -> None:
    sources = _tracked(".h", ".c", ".cpp")
    assert {name.split("/")[0] for name in sources} >= {"nixl_patch", "python", "tests", "examples"}
    assert _unformatted(ROOT, sources) == ""


def test_c_that_is_not_formatted_is_named_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int  x ;\n")
    assert "a.c:1:" in _unformatted(tmp_path, ["a.c"])


#: What every class of pybind11 has and no stub can say.
_OF_PYBIND11 = ("metaclass differs", 'stub does not have *args parameter "args"')


def _stub_problems(stub: str, folder: Path) -> list[str]:
    (folder / "nixl_stripe").mkdir()
    (folder / "nixl_stripe/__init__.pyi").touch()
    (folder / "nixl_stripe/_core.pyi").write_text(stub)
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "nixl_stripe._core", "--concise"],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    return [line for line in said if not line.endswith(_OF_PYBIND11)]


def test_the_stub_is_that_of_the_compiled_module(tmp_path: Path) -> None:
    stub = (ROOT / "python/nixl_stripe/_core.pyi").read_text("utf-8")
    assert _stub_problems(stub, tmp_path) == []


def test_a_stub_that_promises_more_is_noticed_bad_flow(tmp_path: Path) -> None:
    stub = (ROOT / "python/nixl_stripe/_core.pyi").read_text("utf-8")
    said = _stub_problems(stub + "\ndef absent() -> int: ...\n", tmp_path)
    assert said == ["nixl_stripe._core.absent is not present at runtime"]


def test_files_are_of_a_size_that_one_reads() -> None:
    long = {  # but for the stub, which is one compiled module
        name: lines
        for name in _tracked(".py", ".h", ".c", ".cpp")
        if (lines := (ROOT / name).read_text("utf-8").count("\n")) > 400
    }
    assert long == {}


def test_files_of_tests_have_names_of_their_own() -> None:
    """Else pytest collects none of them: their folders are no packages."""
    names = [name.split("/")[-1] for name in _tracked(".py") if "/test_" in name]
    assert sorted({name for name in names if names.count(name) > 1}) == []
