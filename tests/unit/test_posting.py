# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of what posting costs: its statistics, its grid, and one cell for real."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from math import comb
from pathlib import Path

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.versions import NEWEST
from posting.__main__ import main
from posting.cells import MODES, grid
from posting.installs import find
from posting.ratios import median_ranks, paired

WheelOf = Callable[[str, str], Path]


@pytest.mark.parametrize("count", [6, 7, 12, 20, 49, 50, 200])
def test_the_interval_holds_the_median_in_95_of_100_samples(count: int) -> None:
    low, high = median_ranks(count)
    assert low + high == count - 1
    missed = 2 * sum(comb(count, k) for k in range(low + 1)) / 2**count
    assert missed <= 0.05
    one_less = 2 * sum(comb(count, k) for k in range(low + 2)) / 2**count
    assert one_less > 0.05, "no wider than it has to be"


def test_ratios_are_of_the_same_round() -> None:
    rng = random.Random(5)
    stock = [rng.uniform(1, 100) for _ in range(20)]
    found = paired([1.25 * each for each in stock], stock)
    assert (found.median, found.low, found.high) == pytest.approx((1.25, 1.25, 1.25))
    assert found.pairs == 20


@pytest.mark.parametrize("rounds", [(5, 5), (20, 19)])
def test_too_few_rounds_are_refused_bad_flow(rounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="accepted are six pairs"):
        paired([1.0] * rounds[0], [1.0] * rounds[1])


def test_the_grid_has_every_cell_once() -> None:
    cells = list(grid())
    assert len(cells) == len(set(cells)) == 2 * 3 * 2 * 2 * 2
    assert {cell.threads for cell in cells} == {1, 4, 8}


def test_one_cell_is_measured(
    unpacked: WheelOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = unpacked("nixl-cu12", NEWEST)
    out = tmp_path / "posting.json"
    options = ["--nixl", str(site), "--json", str(out), "--rounds", "6", "--times", "1"]
    assert main([*options, "--transport", "tcp", "--cells", "1"]) == 0
    result = json.loads(out.read_text())
    assert [row["mode"] for row in result["rows"]] == list(MODES)
    assert all(row["post_us_per_descriptor"] > 0 for row in result["rows"])
    assert result["rows"][0]["ratio"]["median"] == 1
    assert set(result) >= {"machine", "versions", "command", "date", "commit", "load"}
    assert str(tmp_path) not in out.read_text()
    assert "spread x" in capsys.readouterr().out


def test_a_patched_nixl_is_not_taken_for_stock_bad_flow(patched: WheelOf, tmp_path: Path) -> None:
    with pytest.raises(StripeError, match="must be stock"):
        find(str(patched("nixl-cu12", NEWEST)), None, tmp_path)


def test_a_folder_without_nixl_is_refused_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StripeError, match="no nixl_cu12 or nixl_cu13"):
        find(str(tmp_path / "empty"), None, tmp_path)
