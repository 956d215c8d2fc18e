# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md agrees with the checks and traps of the code."""

from __future__ import annotations

from pathlib import Path

import pytest
from nixl_stripe import traps
from nixl_stripe.doctor import CHECKS
from nixl_stripe.doctor.markdown import main, with_tables

DOCUMENT = Path(__file__).parents[2] / "docs/troubleshooting.md"


def test_the_tables_are_those_of_the_code() -> None:
    text = DOCUMENT.read_text("utf-8")
    known = traps.keys()
    assert with_tables(text) == text
    assert all(f"| `{check.name}` |" in text for check in CHECKS)
    assert all(f"| `UCX_{key}` |" in text for key in known)


def test_a_table_that_is_out_of_date_is_rewritten(tmp_path: Path) -> None:
    text = DOCUMENT.read_text("utf-8")
    old = tmp_path / "old.md"
    old.write_text(text.replace("| `memlock` |", "| `memlok` |"), "utf-8")
    assert with_tables(old.read_text("utf-8")) != old.read_text("utf-8")
    assert main([str(old)]) == 0
    assert old.read_text("utf-8") == text


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the marks <!-- checks -->"):
        with_tables("nothing")
