# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the source tree itself: format, lint and types."""

from __future__ import annotations

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


def test_cpp_is_formatted() -> None:
    folders = ("nixl_patch", "python/src")
    sources = [
        str(path)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".h", ".cpp", ".c"}
    ]
    tool = Path(sys.executable).with_name("clang-format")
    done = subprocess.run(
        [tool, "--dry-run", "-Werror", *sources], capture_output=True, text=True, check=False
    )
    assert sources
    assert done.returncode == 0, done.stderr
