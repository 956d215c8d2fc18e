# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The page about topology shows the committed benchmark."""

from __future__ import annotations

import json
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
COLUMNS = ("ours", "modelexpress", "modelexpress_all_gpus", "floor")


def test_reading_eight_nics_and_eight_gpus_takes_less_than_two_milliseconds() -> None:
    rows = json.loads((DOCS / "results/topology.json").read_text("utf-8"))["rows"]
    host = next(row for row in rows if (row["nics"], row["gpus"]) == (8, 8))
    assert host["ours"]["median"] < 2.0
    assert host["ours"]["median"] < host["modelexpress"]["median"]
