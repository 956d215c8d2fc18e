# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The table of NIXL versions is what scripts/version-matrix found, and all of it good."""

from __future__ import annotations

import json
from typing import Any

from nixl_wheels import ROOT
from version_matrix import FLAVOURS, WITH_RAILS, failures, lines

RESULT: dict[str, Any] = json.loads((ROOT / "docs/results/versions.json").read_text("utf-8"))


def test_every_line_that_was_published_is_there_and_good() -> None:
    for name in FLAVOURS:
        rows = [row for row in RESULT["rows"] if row["nixl"] == name]
        assert [row["version"] for row in rows] == lines(RESULT["published"][name])
        assert [failures(row) for row in rows] == [[]] * len(rows)
        assert ["rails" in row for row in rows] == [n < WITH_RAILS for n in range(len(rows))]


def test_failures_are_seen() -> None:
    row = RESULT["rows"][0]
    assert failures({**row, "loads": False}) == ["loads"]
    assert failures({**row, "applied": []}) == ["applied []"]
    assert failures({**row, "refuses": False}) == ["refuses"]
    rails = {"stock": 2, "patched": 3}
    assert failures({**row, "rails": rails}) == [f"rails {rails}"]


def test_lines_are_minor_versions() -> None:
    versions = ["1.10.0", "1.9.2", "1.9.10", "0.7.1", "0.7.0"]
    assert lines(versions) == ["1.10.0", "1.9.10", "0.7.1"]
