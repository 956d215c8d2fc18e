# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Processor time of a side, and the columns that every benchmark has of it."""

from __future__ import annotations

import hashlib
import threading
import time

from nixl_stripe.bench import runner
from nixl_stripe.bench.pair import Pair
from nixl_stripe.bench.table import cell, filled
from nixl_stripe.bench.work import BenchReport, Repetition, Work, WorkReport
from nixl_stripe.lab.cost import Cpu, CpuMeter, by_side, total

_GIB = 1 << 30


def _spin(until: float) -> None:
    while time.thread_time() < until:
        hashlib.sha256(b"x" * 4096)


def test_the_meter_counts_every_thread_and_no_waiting() -> None:
    meter = CpuMeter()
    threads = [threading.Thread(target=_spin, args=(0.05,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy = meter.spent(_GIB)
    assert busy.user_s + busy.system_s >= 0.1
    assert busy.s_per_gib == busy.user_s + busy.system_s
    meter = CpuMeter()
    time.sleep(0.2)
    assert meter.spent(1).user_s < 0.1


def test_sums_and_figures_by_side() -> None:
    both = total([Cpu(1.0, 0.5, _GIB), Cpu(0.0, 0.5, _GIB)])
    assert both == Cpu(1.0, 1.0, 2 * _GIB)
    assert by_side(both, Cpu()) == {"initiator": {"user": 0.5, "system": 0.5, "total": 1.0}}
    assert Cpu().s_per_gib is None


def _result(post_s: tuple[float, ...]) -> tuple[runner.Result, Work]:
    work = Work("w", (4096,) * 10, "WRITE", repeats=2)
    rows = tuple(Repetition(0.0, (1.0,), {"r0": 1}, post_s) for _ in range(2))
    mine = WorkReport("w", 0, 0, repetitions=rows, cpu=(Cpu(1, 0, _GIB), Cpu(3, 0, _GIB)))
    theirs = WorkReport("w", 0, 0, cpu=(Cpu(0, 1, _GIB), Cpu(0, 1, _GIB)))
    pair = Pair(BenchReport("initiator", works=(mine,)), BenchReport("target", works=(theirs,)))
    return runner.Result(runner.Case({}, (work,)), (pair,)), work


def test_a_row_has_the_cost_of_both_sides_and_of_posting_a_descriptor() -> None:
    row = runner.costs(*_result((50e-6,)))
    assert tuple(row) == runner.COSTS
    assert row["cpu_s_per_gib"]["initiator"]["total"] == 2
    assert row["cpu_s_per_gib"]["target"] == {"user": 0, "system": 1, "total": 1}
    assert row["post_us_per_descriptor"]["median"] == 5
    assert cell("cpu_s_per_gib", row["cpu_s_per_gib"]) == "2/1"
    second = runner.costs(*_result((50e-6,)), 1)
    assert second["cpu_s_per_gib"]["initiator"]["total"] == 3


def test_an_engine_that_only_waits_has_no_time_of_posting_bad_flow() -> None:
    row = runner.costs(*_result(()))
    assert row["post_us_per_descriptor"] is None
    assert filled({"rows": [row]}, ["gbps", *runner.COSTS]) == ["cpu_s_per_gib"]


def test_drained_bytes_are_in_the_processor_time_of_both_sides() -> None:
    work = Work("w", (100,), "WRITE", burst=3, drain=250)
    assert work.drains == 3
    assert work.repetition_bytes == 600
