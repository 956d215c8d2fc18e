# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A skip in CI is a failure, but for the reasons on the list."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from skips import ACCEPTED, accepted

TESTS = """
import pytest

def test_left_out():
    pytest.skip({reason!r})

@pytest.mark.skipif(True, reason={reason!r})
def test_never_tried():
    pass
"""
WHOLE = """
import pytest
pytest.importorskip("no_such_module", reason={reason!r})
"""


def run(folder: Path, text: str, reason: str, **variables: str) -> str:
    (folder / "test_it.py").write_text(text.format(reason=reason))
    kept = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "skips", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[1] / "support"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("text", [TESTS, WHOLE], ids=["tests", "a file"])
def test_elsewhere_a_skip_is_a_skip(tmp_path: Path, text: str) -> None:
    said = run(tmp_path, text, "no such thing here")
    assert "skipped" in said
    assert "failed" not in said
    assert "error" not in said


@pytest.mark.parametrize("text", [TESTS, WHOLE], ids=["tests", "a file"])
def test_in_ci_it_is_a_failure_with_its_reason_bad_flow(tmp_path: Path, text: str) -> None:
    said = run(tmp_path, text, "no such thing here", CI="1")
    assert "skipped in CI" in said
    assert "no such thing here" in said
    assert " skipped" not in said.splitlines()[-1]


def test_a_reason_of_the_list_is_accepted(tmp_path: Path) -> None:
    said = run(tmp_path, TESTS, "this Python's tarfile has no filters", CI="1")
    assert "2 skipped" in said.splitlines()[-1]


def test_the_list_is_short_and_says_why() -> None:
    assert len(ACCEPTED) <= 8
    assert all(len(why) > 30 for why in ACCEPTED.values())
    assert not accepted("this Python's tarfile has no filters, and more")
