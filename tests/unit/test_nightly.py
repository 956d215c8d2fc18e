# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The nightly look at the newest NIXL: works, or refused and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nightly
import pytest
import version_matrix
from nixl_stripe.versions import NEWEST

GOOD = {
    "stock_loads": True,
    "loads": True,
    "refuses": True,
    "applied": ["MAX_RMA_RAILS 4", "MAX_RMA_RAILS 3"],
    "rails": {"stock": 2, "patched": 4},
}


def raised(_: Path) -> dict[str, Any]:
    raise AssertionError("exit status -11\nthe loader's last words\n")


@pytest.mark.parametrize(
    ("tried", "code", "said"),
    [
        (lambda _: GOOD, 0, "nixl-cu12 9.9.9 (new): works\n"),
        (
            lambda _: {**GOOD, "loads": False},
            1,
            "nixl-cu12 9.9.9 (new): refused, because loads\n",
        ),
        (
            raised,
            1,
            "nixl-cu12 9.9.9 (new): refused, because AssertionError: the loader's last words\n",
        ),
    ],
    ids=["works", "refused", "breaks"],
)
def test_verdicts(
    tried: Callable[[Path], dict[str, Any]],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def try_version(_: str, __: str, scratch: Path, with_rails: bool) -> dict[str, Any]:
        assert with_rails
        return tried(scratch)

    monkeypatch.setattr(version_matrix, "published", lambda _: ["9.9.9", NEWEST])
    monkeypatch.setattr(version_matrix, "try_version", try_version)
    assert nightly.main(["--json", str(tmp_path / "newest.json")]) == code
    assert capsys.readouterr().out.startswith(said)
    written = json.loads((tmp_path / "newest.json").read_text())
    assert [row["verdict"] for row in written["rows"]] == ["refused" if code else "works"] * 2


def test_what_is_new() -> None:
    assert nightly.is_new("99.0")
    assert not nightly.is_new(NEWEST)
