# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Forecasts against the grid that was measured on the RDMA guests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from forecast_grid.__main__ import OPS, agrees, as_lines, forecast_of, read, summary
from forecast_grid.cases import CASES

ROOT = Path(__file__).parents[2]
RESULTS = read(ROOT / "docs/results/forecast.json")


def test_grid_is_right_in_95_of_100() -> None:
    measured = [row["title"] for row in RESULTS["rows"]]
    assert measured == [case.title for case in CASES if case.title in measured]
    found = summary(RESULTS["rows"])
    assert found == RESULTS["summary"]
    assert found["cases"] >= 40
    assert found["agree"] >= 0.95 * found["cases"], found["disagreements"]


@pytest.mark.parametrize("row", RESULTS["rows"], ids=lambda row: row["title"])
def test_shares_are_those_that_were_counted(row: dict[str, Any]) -> None:
    for op in OPS:
        if not agrees(row, op):
            continue  # listed in the documentation; the test above bounds their number
        said = forecast_of(row, op).lanes
        for nic, share in row["ops"][op]["share"].items():
            assert share == pytest.approx(said.get(nic, 0.0), abs=0.03)


def test_a_wrong_forecast_is_noticed_bad_flow() -> None:
    row = json.loads(json.dumps(RESULTS["rows"][0]))
    row["ops"]["read"]["share"] = {"rxe0": 1.0, "rxe1": 0.0, "rxe2": 0.0, "rxe3": 0.0}
    found = summary([row])
    assert found["agree"] == 1
    assert found["disagreements"][0]["case"].endswith(", read")


def test_data_of_the_cpp_tests_comes_from_the_grid() -> None:
    lines = (ROOT / "tests/data/forecast.tsv").read_text("utf-8")
    assert lines == as_lines(RESULTS["rows"])
