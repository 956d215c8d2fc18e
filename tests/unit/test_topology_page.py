# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The page about topology shows the committed benchmark."""

from __future__ import annotations

import json
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
COLUMNS = ("ours", "modelexpress", "modelexpress_all_gpus", "floor")


def test_the_table_is_that_of_the_result_file() -> None:
    page = (DOCS / "topology.md").read_text("utf-8")
    rows = json.loads((DOCS / "results/topology.json").read_text("utf-8"))["rows"]
    assert [row["host"] for row in rows] == ["gb200", "amd_mi300x", "dgx_h100", "p5"]
    for row in rows:
        counts = " | ".join(str(row[key]) for key in ("nics", "gpus", "pci_functions"))
        times = " | ".join(f"{row[key]['median']:.2f}" for key in COLUMNS)
        assert f"| {row['host']} | {counts} | {times} |" in page


def test_reading_eight_nics_and_eight_gpus_takes_less_than_two_milliseconds() -> None:
    rows = json.loads((DOCS / "results/topology.json").read_text("utf-8"))["rows"]
    host = next(row for row in rows if (row["nics"], row["gpus"]) == (8, 8))
    assert host["ours"]["median"] < 2.0
    assert host["ours"]["median"] < host["modelexpress"]["median"]
