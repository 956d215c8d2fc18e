# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What benchmarks are made of: shapes, jobs, statistics, and what the command refuses."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.bench import many, provenance, rails, runner, sizes, worker
from nixl_stripe.bench.memory import allocate
from nixl_stripe.bench.options import Options, Sides
from nixl_stripe.bench.pair import BenchFailedError, Pair, require
from nixl_stripe.bench.shapes import qwen3_4b
from nixl_stripe.bench.table import cell
from nixl_stripe.bench.work import BenchJob, BenchReport, Repetition, Took, Work, WorkReport
from nixl_stripe.cli import main
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.rails.rail_spec import RailSpec


def test_the_refit_is_that_of_qwen3_4b() -> None:
    tensors = qwen3_4b()
    assert len(tensors) == 290
    assert sum(tensors) == 8_044_936_192
    assert max(tensors) == 151936 * 2560 * 2


def test_a_scaled_refit_keeps_its_small_tensors() -> None:
    whole, small = qwen3_4b(), qwen3_4b(0.001)
    assert len(small) == 290
    assert [n for n in small if n <= 16 << 10] == [n for n in whole if n <= 16 << 10]
    assert sum(small) == pytest.approx(sum(whole) * 0.001, rel=0.1)


@pytest.mark.parametrize("scale", [0, -1, 1.01, float("nan")])
def test_scales_that_make_no_refit(scale: float) -> None:
    with pytest.raises(ValueError, match=r"scale=.*: accepted are"):
        qwen3_4b(scale)


def test_a_job_survives_json() -> None:
    job = BenchJob(
        role="target",
        works=(
            Work("a", (1, 2), "READ", warmup=0, repeats=2, burst=3, placement="arena", portion=1),
            Work("b", (5,), "WRITE", warmup=0, repeats=2, coalesce=True),
        ),
        nixl=Nixl(("/x",), "nixl_cu12"),
        params={"stripe": "all"},
        counters=("r0",),
        rivals=({"stripe": "1"}, {"stripe": "all"}),
        corrupt=True,
        limit_s=3,
    )
    assert BenchJob.from_json(job.to_json()) == job
    assert job.works[0].payload_bytes == 2
    assert job.for_role("initiator").role == "initiator"


def test_rivals_without_a_work_of_their_own_bad_flow() -> None:
    works = Work("a", (1,), "READ"), Work("b", (1,), "READ", repeats=9)
    with pytest.raises(ValueError, match="1 rivals, 2 works: accepted are as many"):
        BenchJob("target", (works[0], works[0]), rivals=({},))
    with pytest.raises(ValueError, match="one warmup and one repeats"):
        BenchJob("target", works, rivals=({}, {}))


def test_registering_within_the_transfer_is_of_whole_tensors_bad_flow() -> None:
    with pytest.raises(ValueError, match="overlap and portion: accepted is one of them"):
        Work("a", (1,), "READ", overlap=True, portion=1)


def test_a_report_survives_json() -> None:
    work = WorkReport("a", 0.1, 0.2, 0.3, 4, (Repetition(0.1, (1.0, 2.0), {"r0": 5}),), 1)
    report = BenchReport("initiator", "1.5.1", 0.02, (work,), None)
    assert BenchReport.from_json(report.to_json()) == report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"op": "COPY"}, "accepted are READ, WRITE"),
        ({"sizes": ()}, "at least one buffer"),
        ({"sizes": (4, 0)}, "at least one buffer"),
        ({"repeats": 0}, "repeats >= 1"),
        ({"placement": "heap"}, "accepted are separate, arena"),
    ],
)
def test_works_that_make_no_sense(change: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"name": "w", "sizes": (4,), "op": "READ", **change}
    with pytest.raises(ValueError, match=words):
        Work(**given)


def test_a_repetition_that_was_not_checked_is_a_failure() -> None:
    job = BenchJob("initiator", (Work("w", (4,), "READ", warmup=1, repeats=2),))

    def pair(verified: int, error: str | None = None) -> Pair:
        mine = WorkReport("w", 0, 0, verified=verified)
        reports = (mine,), (WorkReport("w", 0, 0),)
        return Pair(
            BenchReport("initiator", works=reports[0], error=error),
            BenchReport("target", works=reports[1]),
        )

    require(job, pair(3))
    with pytest.raises(BenchFailedError, match="w: not every payload"):
        require(job, pair(2))
    with pytest.raises(BenchFailedError, match="boom"):
        require(job, pair(3, "boom"))


def test_spread() -> None:
    found = runner.spread([5, 1, 3, 2, 4])
    assert found == {"median": 3, "q1": 1.5, "q3": 4.5, "min": 1, "max": 5, "n": 5}
    assert runner.spread([2.0])["q3"] == 2.0


def test_shares_add_up_to_one() -> None:
    rows = [Repetition(0, (1,), {"a": 30, "b": 10}), Repetition(0, (1,), {"a": 30, "b": 30})]
    assert runner.shares(rows, ("a", "b")) == {"a": 0.6, "b": 0.4}
    assert runner.shares([], ("a", "b")) == {"a": 0.0, "b": 0.0}


def test_ladder() -> None:
    assert sizes.ladder(4096, 70000) == [4096, 16384, 65536]
    with pytest.raises(UsageError, match="accepted are 1 and more"):
        sizes.ladder(4096, 4095)


def test_counts_and_sets() -> None:
    assert rails.counts(6) == [1, 2, 3, 4, 6]
    assert rails.counts(8) == [1, 2, 3, 4, 8]
    assert {name: len(made) for name, made in many.sets().items()}["290 x 4..64 KiB"] == 290


def test_only_stock_modes_run_on_the_stock_nixl() -> None:
    sides = Sides(Nixl(("/stock",)), Nixl(("/patched",)))
    work = (Work("w", (4,), "READ"),)
    assert sides.case("stock", {}, work).nixl.paths == ("/stock",)
    assert sides.case("stripe", {}, work, nics=2).labels == {"mode": "stripe", "nics": 2}
    assert sides.case("stripe", {}, work).nixl.paths == ("/patched",)


def test_reads_over_tcp_are_left_out_unless_asked_for() -> None:
    assert Options(bed="tcp").directions() == ("WRITE",)
    assert Options(bed="rdma").directions() == ("READ", "WRITE")
    assert Options(bed="tcp", ops=("READ",)).directions() == ("READ",)


def test_cells() -> None:
    assert cell("share", {"a": 0.25, "b": 0.75}) == "25/75"
    assert cell("gbps", runner.spread([1.0])) == "1 (1..1)"
    assert cell("post_us_per_descriptor", runner.spread([19424.6])) == "19425 (19425..19425)"
    assert cell("post_us_per_descriptor", runner.spread([9999.4])) == "9999 (9999..9999)"
    assert cell("scale", [0.00001, 123456.0]) == "1e-05..123456"
    assert cell("of_limit", 0.985) == "98.5 %"
    assert cell("x", None) == "-"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rails", "--bed", "ib"], "--bed ib: accepted are tcp, rdma"),
        (["rails", "--op-type", "COPY"], "--op COPY: accepted are read, write, both"),
        (["rails", "--memory", "disk"], "--memory disk: accepted are dram, vram"),
        (["refit", "--rounds", "0"], "--rounds 0: accepted are 1 and more"),
        (["sizes", "--mbit", "-1"], "--mbit -1: accepted are 0 (no limit) and more"),
        (
            ["many", "--stock-folder", "/"],
            "--stock-folder and --patched-folder: give both or neither",
        ),
    ],
)
def test_usage_errors(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    extra = [] if "--stock-folder" in arguments else ["--stock", "/", "--patched", "/"]
    assert main(["bench", *arguments, *extra]) == 2
    assert words in capsys.readouterr().err


def test_options_say_what_was_run() -> None:
    assert json.loads(json.dumps(Options().to_dict()))["rounds"] == 3


class CountingEngine:
    """Moves nothing; counts what it is asked to post."""

    def __init__(self) -> None:
        self.posts = 0

    def prepare(self, op: str) -> None: ...

    def transfer(self, limit_s: float) -> Took:  # noqa: ARG002
        self.posts += 1
        return Took(1.0, 0.25)

    def release(self) -> None: ...


@pytest.mark.parametrize(("drain", "before"), [(0, 0), (1, 1), (4096, 1), (40000, 10)])
def test_buckets_are_emptied_before_what_is_timed(drain: int, before: int) -> None:
    work = Work("a", (4096,), "WRITE", burst=3, drain=drain)
    engine: Any = CountingEngine()
    nobody: Any = None
    store = allocate("dram", work.sizes, work.placement)
    job = BenchJob("initiator", (work,))
    side = worker._Exchange(job, work, nobody, engine, store, WorkReport("a", 0.0, 0.0))
    moved = side._move()
    assert moved.seconds == (1.0, 1.0, 1.0)
    assert moved.post_s == (0.25, 0.25, 0.25)
    assert engine.posts == before + 3


def test_a_drain_of_less_than_nothing_bad_flow() -> None:
    with pytest.raises(ValueError, match="drain=-1: accepted are 0 and more"):
        Work("a", (1,), "READ", drain=-1)


def test_a_limited_bed_has_buckets_and_another_has_none() -> None:
    assert RailSpec(4, 400, 9000).bucket_bytes == 128 << 10
    assert RailSpec(4, 8000, 9000).bucket_bytes == 1_000_000
    assert RailSpec(4, None, 9000).bucket_bytes == 0


def test_a_command_is_written_as_one_can_type_it_anywhere() -> None:
    here = ["/x/bin/nixl-stripe", "bench", "sizes", "--cache", "/x/cache", "--mbit", "10"]
    words = [*here, "--save=/x/a.json", "--stock=/x/stock", "/x/patched"]
    text = "nixl-stripe bench sizes --mbit 10 --stock=stock patched"
    assert provenance.command_text(words) == text


def test_a_result_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.commit(tmp_path) is None
    monkeypatch.chdir(tmp_path)
    found = provenance.Origin(["scripts/x", "--rounds", "2"]).taken()
    assert found["command"] == "scripts/x --rounds 2"
    assert found["commit"] is None
    assert found["load"].keys() - {"nice"} == {"before", "after"}


def test_a_checkout_is_known_by_its_commit(tmp_path: Path) -> None:
    (tmp_path / "nixl_patch").mkdir()
    file = tmp_path / "nixl_patch/file"
    file.write_text("a")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "m"]):
        subprocess.run([*git, *words], check=True)
    clean = provenance.commit(file.parent)
    assert clean is not None
    assert re.fullmatch("[0-9a-f]{12}", clean)
    file.write_text("b")
    assert provenance.commit(tmp_path) == f"{clean}-dirty"


@pytest.mark.parametrize(
    ("load", "is_busy"),
    [
        (None, False),
        ({"after": 2.0}, False),
        ({"after": 2.1}, True),
        ({"before": 0.3, "after": 3.0}, False),
        ({"before": 2.5, "after": 1.0}, True),
    ],
)
def test_a_busy_machine_is_known(load: dict[str, float] | None, is_busy: bool) -> None:
    assert provenance.is_busy({"load": load, "machine": {"cores": 2}}) == is_busy


def test_a_burst_counts_as_a_whole() -> None:
    row = Repetition(0.0, (0.1, 0.1, 0.7), {"r0": 5})
    assert sizes.mean_s(row) == pytest.approx(0.3)
