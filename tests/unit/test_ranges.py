# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges of names, and the plan of a machine with 32 NICs in a screen's height."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nixl_stripe.cli import main
from nixl_stripe.planning.parts import gbps_text
from nixl_stripe.planning.ranges import natural, ranges, short_list
from nixl_stripe.topo.examples import path_of

NAMES = st.lists(st.from_regex(r"[a-z]{0,3}[0-9]{1,2}(s0)?(:1)?", fullmatch=True), max_size=20)


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (["mlx5_0:1", "mlx5_1:1", "mlx5_2:1"], ["mlx5_[0-2]:1"]),
        (["rdmap9s0", "rdmap10s0", "rdmap11s0"], ["rdmap[9-11]s0"]),
        (["mlx5_0", "mlx5_1"], ["mlx5_0", "mlx5_1"]),
        (["mlx5_1", "mlx5_3", "mlx5_4", "mlx5_5"], ["mlx5_1", "mlx5_[3-5]"]),
        (["mlx5_2", "mlx5_1", "mlx5_0"], ["mlx5_2", "mlx5_1", "mlx5_0"]),
        (["a", "b", "c"], ["a", "b", "c"]),
        (["eth08", "eth09", "eth10"], ["eth08", "eth09", "eth10"]),
        ([], []),
    ],
)
def test_runs(names: list[str], texts: list[str]) -> None:
    assert [text for text, _ in ranges(names)] == texts


@given(NAMES)
def test_every_name_is_there_once_and_in_its_order(names: list[str]) -> None:
    assert [name for _, members in ranges(names) for name in members] == names


def test_natural_order() -> None:
    assert natural(["a10", "a9", "b1", "a"]) == ["a", "a9", "a10", "b1"]


def test_few_names_stay_names() -> None:
    names = [f"mlx5_{i}" for i in range(9)]
    assert short_list(names[:8]) == ",".join(names[:8])
    assert short_list(names) == "mlx5_[0-8] (9)"


def test_a_plan_of_32_nics_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["plan", "--source", str(path_of("p5")), "--gpu", "0", "--explain"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "rdmap[79-82]s0:1 (4 NICs, EFA, 100 Gbit/s)" in out
    assert "rdmap[79-82]s0: 3 % each, to the same ones" in out
    assert "dropped   rdmap[147-150]s0: wire-up: 220 MiB/s (sys)" in out
    assert len(out.splitlines()) < 50


@pytest.mark.parametrize(
    ("rate", "text"),
    [(None, "unknown"), (0.0, "unknown"), (0.05, "0.05 Gbit/s"), (400.4, "400 Gbit/s")],
)
def test_no_rate_is_said_to_be_nought(rate: float | None, text: str) -> None:
    assert gbps_text(rate) == text
