# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which interpreter the scripts take: one that runs, not merely one that the PATH names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "scripts/setup.sh"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for the PATH: `python3.98` is pyenv's shim of another version, `python3.99` runs."""
    shim = "#!/bin/sh\necho 'pyenv: python3.98: command not found' >&2\nexit 127\n"
    for name, text in {
        "python3.98": shim,
        "python3.99": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def asked(path: Path, call: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f'set -euo pipefail; source "{SETUP}"; {call}'],
        env={"PATH": f"{path}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_that_runs_is_taken(path: Path) -> None:
    done = asked(path, "working_python python3.97 python3.98 python3.99")
    assert (done.returncode, done.stdout) == (0, f"{path}/python3.99\n")


def test_a_name_that_does_not_run_is_no_python_bad_flow(path: Path) -> None:
    assert (
        subprocess.run(["sh", "-c", f"command -v {path}/python3.98"], check=False).returncode == 0
    )
    done = asked(path, "working_python python3.98")
    assert (done.returncode, done.stdout) == (1, "")


def test_where_none_runs_the_package_is_named_bad_flow(path: Path) -> None:
    done = asked(path, "find_python", PYTHON="python3.98")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "python3-venv" in done.stderr
