# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is said wrong to scripts/demo is refused before it makes an environment and compiles."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from demo.options import parse
from interrupts import interruptible
from nixl_stripe.lab.load import busy_text
from nixl_stripe.versions import NEWEST_REQUIREMENT

ROOT = Path(__file__).parents[2]
SETTING_UP = "==> "


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What scripts/demo needs until it installs, and nothing that could be installed."""
    for part in ("scripts", "tools/demo"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def demo(checkout: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts/demo", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHON": sys.executable, "CXX": "/bin/true"},
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--nics", "1"], "--nics 1: accepted are 2..64"),
        (["--mbit", "nan"], "--mbit nan: accepted are rates above 0"),
        (["--png"], "--png: expected one argument"),
        (["--fast"], "unrecognized arguments: --fast"),
        (["--qui"], "unrecognized arguments: --qui"),
    ],
)
def test_nothing_is_made_for_a_bad_option_bad_flow(
    checkout: Path, options: list[str], message: str
) -> None:
    done = demo(checkout, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert SETTING_UP not in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_makes_nothing(checkout: Path, option: str) -> None:
    done = demo(checkout, option)
    assert done.returncode == 0
    assert "usage: scripts/demo" in done.stdout
    assert "Mbit/s of each rail" in done.stdout
    assert not (checkout / ".venv").exists()


def test_good_options_come_to_the_installation(checkout: Path) -> None:
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (checkout / "requirements").mkdir()
    (checkout / "requirements/lab.txt").write_text("--no-such-line\n")  # where it ends here
    done = demo(checkout, "--quick", "--nics", "2")
    assert done.returncode == 1
    assert f"{SETTING_UP}installing nixl-stripe" in done.stderr
    assert "pip could not install what requirements/lab.txt pins" in done.stderr


def test_the_newest_nixl_is_compared() -> None:
    assert parse([]).nixl == NEWEST_REQUIREMENT


def test_a_busy_machine_is_named_beside_a_failure() -> None:
    assert busy_text(1.9, 2, "it may be why") == ""
    said = busy_text(6.4, 2, "it may be why")
    assert said == "This machine was busy (load 6.4 on 2 cores): it may be why."


def test_ctrl_c_is_one_line_and_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert interruptible("demo", interrupted) == 130
    assert capsys.readouterr().err == "demo: interrupted; everything that was started is gone\n"
    assert interruptible("demo", lambda: 7) == 7
    assert capsys.readouterr().err == ""
