# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every benchmark on four small rails, as a user runs it; and wrong bytes, which end it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.bench import latency, many, rails, refit, register, sizes
from nixl_stripe.bench.options import Options, Sides
from nixl_stripe.bench.pair import BenchFailedError
from nixl_stripe.cli import main
from nixl_stripe.lab import Rails
from nixl_stripe.versions import NEWEST

pytestmark = pytest.mark.rails

EVEN = [0.25] * 4
ONCE = Options(bed="tcp", rounds=1, warmup=1, iterations=2)


@pytest.fixture(scope="module")
def bed(needs_rails: None) -> Iterator[Rails]:
    with Rails(count=4, mbit=100) as made:
        yield made


@pytest.fixture(scope="module")
def sides(stock: Path, striped: Path) -> Sides:
    return Sides.at(stock, striped)


def quiet(_: str) -> None:
    pass


def by_mode(document: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    found = [r for r in document["rows"] if all(r[k] == v for k, v in wanted.items())]
    assert len(found) == 1, wanted
    row: dict[str, Any] = found[0]
    return row


def test_rails_scale(bed: Rails, sides: Sides) -> None:
    done = rails.measure(bed, sides, ONCE, quiet, size=4 << 20)
    assert [row["nics"] for row in done["rows"]] == [2, 1, 2, 3, 4]
    every = by_mode(done, mode="stripe", nics=4)
    assert list(every["share"].values()) == pytest.approx(EVEN, abs=0.01)
    assert list(by_mode(done, mode="stock")["share"].values())[-1] < 0.01
    assert every["gbps"]["n"] == 2
    assert done["ratios"]["write_all_over_stock"] == every["over_stock"]
    assert done["versions"]["nixl"] == NEWEST


def test_refit_has_a_cold_cycle_and_two_warm_ones(bed: Rails, sides: Sides) -> None:
    done = refit.measure(bed, sides, ONCE, quiet, scale=0.0005)
    stripe = [row for row in done["rows"] if row["mode"] == "stripe"]
    assert [row["kind"] for row in stripe] == ["cold", "warm", "warm"]
    cold, warm, _ = stripe
    assert cold["register_s"]["median"] > 0
    assert warm["register_s"]["median"] == warm["alloc_s"]["median"] == 0
    assert warm["total_s"] == warm["pull_s"]
    assert cold["regions"] == 290
    assert by_mode(done, mode="stripe, coalesced", cycle=1)["regions"] == 1
    assert 1 < by_mode(done, mode="stripe, overlapped", cycle=1)["regions"] <= 9
    assert done["options"]["tensors"] == 290


def test_sizes_compare_with_one_nic(bed: Rails, sides: Sides) -> None:
    done = sizes.measure(bed, sides, ONCE, quiet, stop=16 << 10)
    assert {row["bytes"] for row in done["rows"]} == {4096, 16384}
    assert by_mode(done, mode="one NIC", bytes=4096)["latency_us"]["n"] == 2
    sizes_and_bases = itertools.product((4096, 16384), ("one_rail", "one_nic"))
    assert set(done["ratios"]) == {f"write_{n}_latency_of_{base}" for n, base in sizes_and_bases}


def test_latency_compares_in_turn(bed: Rails, sides: Sides) -> None:
    done = latency.measure(bed, sides, ONCE, quiet)
    assert [row["mode"] for row in done["rows"]] == ["one rail", "two rails", "stripe"]
    assert {row["latency_us"]["n"] for row in done["rows"]} == {2 * 20 * 10}
    assert by_mode(done, mode="one rail")["of_one_rail"]["max"] == 1
    assert set(done["ratios"]) == {
        "write_4096_two_rails_of_one_rail",
        "write_4096_stripe_of_one_rail",
    }


def test_latency_compares_resume_with_none_and_with_noise(bed: Rails, sides: Sides) -> None:
    done = latency.measure(bed, sides, ONCE, quiet, with_resume=True)
    assert [row["mode"] for row in done["rows"]] == ["stripe", "stripe again", "resume"]
    assert by_mode(done, mode="stripe")["of_stripe"]["max"] == 1
    assert set(done["ratios"]) == {
        "write_4096_stripe_again_of_stripe",
        "write_4096_resume_of_stripe",
    }


def test_register_counts_regions(bed: Rails, sides: Sides) -> None:
    done = register.measure(bed, sides, ONCE, quiet, total=1 << 20, tensors=(1, 8))
    whole = by_mode(done, nics=4, tensors=8, coalesced=True)
    apart = by_mode(done, nics=4, tensors=8, coalesced=False)
    assert (whole["regions"], apart["regions"]) == (1, 8)


@pytest.mark.parametrize("benchmark", [rails, many, refit, latency])
def test_wrong_bytes_end_it(bed: Rails, sides: Sides, benchmark: Any) -> None:
    corrupt = Options(bed="tcp", rounds=1, warmup=0, iterations=1, corrupt=True)
    with pytest.raises(BenchFailedError, match="PayloadMismatchError"):
        benchmark.measure(bed, sides, corrupt, quiet)


def test_a_nixl_that_is_none_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folders = ["--stock", str(tmp_path), "--patched", str(tmp_path)]
    assert main(["bench", "rails", "--nics", "2", "--mbit", "100", *folders]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"nixl-stripe: {tmp_path}: no NIXL in it (nixl, nixl_cu12, nixl_cu13)"


def test_command_writes_the_same_json_that_it_prints(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stock: Path, striped: Path
) -> None:
    file = tmp_path / "new" / "rails.json"
    folders = ["--stock", str(stock), "--patched", str(striped)]
    few = ["--nics", "2", "--mbit", "100", "--rounds", "1", "--num-iter", "1"]
    few += ["--max-block-size", "100000"]
    assert main(["bench", "rails", *few, *folders, "--json", "--save", str(file)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(file.read_text())
    origin = {"command", "date", "commit", "load"}
    assert set(printed) >= {"machine", "versions", "rows", *origin}
