# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The programs that fuzz and soak: what they call a fault, and what not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fuzzing import cpp
from fuzzing.__main__ import main as fuzz_main
from nixl_stripe.errors import StripeError
from soak import growth

STATISTICS = (
    "stat::number_of_executed_units: 1234\nstat::slowest_unit_time_sec:    2\n"  # libFuzzer's
)


def target(folder: Path, body: str, name: str = "text") -> None:
    """Write a program in the place of a built target."""
    path = folder / f"nixl_patch/tests/fuzz/fuzz_{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_a_target_that_ends_well_has_found_nothing(tmp_path: Path) -> None:
    target(tmp_path, f"printf '{STATISTICS}' >&2")
    row = cpp.run("text", tmp_path, 1)
    assert (row["tries"], row["slowest_s"], row["finding"]) == (1234, 2, "")


@pytest.mark.parametrize("body", [f"printf '{STATISTICS}' >&2; exit 77", "exit 0", "kill -9 $$"])
def test_a_target_that_fails_or_says_nothing_is_a_finding_bad_flow(
    body: str, tmp_path: Path
) -> None:
    target(tmp_path, f"echo what happened >&2; {body}")
    assert "what happened" in cpp.run("text", tmp_path, 1)["finding"]


def test_slow_targets_have_more_processes_with_seeds_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of one process is that of its target, wherever it stands among them."""
    monkeypatch.setattr(cpp, "TARGETS", ("text", "xml"))
    monkeypatch.setattr(cpp, "SLOW", ("text",))
    faulty = 'case "$*" in *-seed=2*) echo a fault >&2; exit 77; esac'
    target(tmp_path, f"printf '{STATISTICS}' >&2; {faulty}")
    target(tmp_path, f"printf '{STATISTICS}' >&2", name="xml")
    text, xml = cpp.rows(tmp_path, 1, processes=1)
    assert [(row["tries"], row["seeds"], row["finding"]) for row in (text, xml)] == [
        (1234, 1, "")
    ] * 2
    text, xml = cpp.rows(tmp_path, 1, processes=4)
    assert (text["tries"], text["seeds"]) == (3 * 1234, 3)
    assert "a fault" in text["finding"]
    assert (xml["tries"], xml["seeds"], xml["finding"]) == (1234, 1, "")
    (text,) = cpp.rows(tmp_path, 1, processes=4, only=["text"])
    assert (text["reader"], text["tries"]) == ("text", 4 * 1234)
    (xml,) = cpp.rows(tmp_path, 1, processes=4, only=["xml"])
    assert (xml["reader"], xml["tries"]) == ("xml", 1234)


def test_readers_to_run_again_are_of_one_part_bad_flow(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for only in (["nonsense"], ["xml", "capture"]):
        with pytest.raises(SystemExit):
            fuzz_main([f"--only={name}" for name in only])
        assert "accepted are of plugin, calibration" in capsys.readouterr().err


def test_every_target_has_a_corpus() -> None:
    assert "xml" in cpp.TARGETS
    for name in cpp.TARGETS:
        assert list((cpp.SOURCES / "corpus" / name).iterdir())


def samples(rss: int, fds: int = 0, warm_up: int = 5000) -> list[dict[str, int]]:
    """Twelve samples of a process that grows at first, and by so much a cycle later."""
    return [
        {"cycle": i, "rss_kib": min(i, 5) * warm_up + rss * i, "fds": 9 + fds * i, "threads": 3}
        for i in range(12)
    ]


def test_growth_is_that_of_the_second_half() -> None:
    assert growth.slope([samples(7)], "rss_kib") == pytest.approx(7)
    assert growth.slope([samples(0)], "rss_kib") == pytest.approx(0)
    with pytest.raises(StripeError, match="make no slope"):
        growth.slope([samples(7)[:1]], "rss_kib")


def test_one_step_is_no_growth_and_steady_growth_is() -> None:
    flat = samples(0)
    stepped = [
        {**each, "rss_kib": each["rss_kib"] + 10240 * (i > 8)} for i, each in enumerate(flat)
    ]
    assert growth.growth([stepped, flat])["rss_kib"] == 0
    assert growth.growth([samples(300), samples(300)])["rss_kib"] == 300


def side(name: str, rss: int, fds: int = 0) -> dict[str, Any]:
    found = samples(rss, fds)
    return {"side": name, "growth": {key: growth.slope([found], key) for key in growth.ALLOWED}}


def test_growth_beyond_that_of_stock_is_a_fault() -> None:
    assert growth.faults([side("stock", 40), side("ours", 60)]) == []
    assert growth.faults([side("stock", 400, 1), side("ours", 400, 1)]) == []
    (memory,) = growth.faults([side("stock", 40), side("ours", 400)])
    assert "ours: rss_kib grow by 400" in memory
    (files,) = growth.faults([side("stock", 40), side("ours", 40, 1)])
    assert "ours: fds grow by 1" in files
