# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The one runner of all benchmarks: cases in turn, round after round, and what they gave."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nixl_stripe._core import __version__
from nixl_stripe.bench.kernel import kernel_release
from nixl_stripe.bench.pair import Pair
from nixl_stripe.bench.pair import run as run_pair
from nixl_stripe.bench.work import BenchJob, EngineName, Repetition, Work, WorkReport
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.cost import by_side, total
from nixl_stripe.lab.job import Memory, Nixl

Say = Callable[[str], None]
#: Columns that `costs` gives.
COSTS = ("cpu_s_per_gib", "post_us_per_descriptor")


@dataclass(frozen=True)
class Case:
    """One configuration, or `rivals` (see `BenchJob`); `labels` go to its rows as they are."""

    labels: Mapping[str, Any]
    works: tuple[Work, ...]
    nixl: Nixl = field(default_factory=Nixl)
    params: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    engine: EngineName = "nixl"
    rivals: tuple[Mapping[str, str], ...] = ()

    @property
    def title(self) -> str:
        """The labels, for progress."""
        return ", ".join(f"{key} {value}" for key, value in self.labels.items())


@dataclass(frozen=True)
class Result:
    """A case over all rounds, each of two fresh processes."""

    case: Case
    pairs: tuple[Pair, ...]

    @property
    def version(self) -> str | None:
        """Version of the engine."""
        return self.pairs[0].initiator.version

    @property
    def create_s(self) -> list[float]:
        """Seconds to make the initiator's backend, by round."""
        return [pair.initiator.create_s or 0.0 for pair in self.pairs]

    def reports(self, work: Work) -> list[WorkReport]:
        """Return the initiator's account of `work`, by round."""
        index = self.case.works.index(work)
        return [pair.initiator.works[index] for pair in self.pairs]

    def repetitions(self, work: Work) -> list[Repetition]:
        """Return the measured repetitions of `work` of all rounds."""
        return [row for report in self.reports(work) for row in report.repetitions]


def run(
    bed: Bed,
    cases: Sequence[Case],
    rounds: int,
    say: Say,
    memory: Memory = "dram",
    limit_s: float = 60.0,
    corrupt: bool = False,
) -> list[Result]:
    """Run all cases `rounds` times, interleaved, so that a busy machine is so for all of them.

    Each round begins with another case. BenchFailedError at the first wrong byte or failure.
    """
    pairs: list[list[Pair]] = [[] for _ in cases]
    for number in range(rounds):
        for step in range(len(cases)):
            index = (number + step) % len(cases)
            case = cases[index]
            say(f"round {number + 1} of {rounds}: {case.title}")
            job = BenchJob(
                role="initiator",
                works=case.works,
                memory=memory,
                engine=case.engine,
                nixl=case.nixl,
                params=case.params,
                rivals=case.rivals,
                counters=bed.counters,
                corrupt=corrupt,
                limit_s=limit_s,
            )
            pairs[index].append(run_pair(bed, job, case.environment))
    return [Result(case, tuple(found)) for case, found in zip(cases, pairs, strict=True)]


def spread(values: Iterable[float], digits: int = 6) -> dict[str, float | int]:
    """Return median, quartiles, extremes and count."""
    found = sorted(values)
    low, _, high = statistics.quantiles(found, n=4) if len(found) > 1 else found * 3
    figures = {
        "median": statistics.median(found),
        "q1": max(low, found[0]),
        "q3": min(high, found[-1]),
        "min": found[0],
        "max": found[-1],
    }
    return {**{key: round(value, digits) for key, value in figures.items()}, "n": len(found)}


def rates(work: Work, rows: Iterable[Repetition]) -> list[float]:
    """Return the payload rate of every transfer in Gbit/s."""
    return [work.payload_bytes * 8e-9 / seconds for row in rows for seconds in row.seconds]


def shares(rows: Iterable[Repetition], counters: Sequence[str]) -> dict[str, float]:
    """Return the fraction of all counted bytes by NIC."""
    counted = dict.fromkeys(counters, 0)
    for row in rows:
        for name in counters:
            counted[name] += row.bytes[name]
    total = sum(counted.values())
    return {name: round(n / total, 4) if total else 0.0 for name, n in counted.items()}


def costs(result: Result, work: Work, number: int | None = None) -> dict[str, Any]:
    """Return the columns of processor time: seconds a GiB by side, and posting a descriptor.

    number: of one measured repetition; None: all of them. Posting is in microseconds, None where
    the engine's call waits for the transfer's end.
    """
    index = result.case.works.index(work)
    chosen = slice(None) if number is None else slice(number, number + 1)
    sides = [[p.initiator.works[index] for p in result.pairs]]
    sides += [[p.target.works[index] for p in result.pairs]]
    spent = [total(cpu for report in side for cpu in report.cpu[chosen]) for side in sides]
    posted = [
        seconds * 1e6 / len(work.moved)
        for report in sides[0]
        for row in report.repetitions[chosen]
        for seconds in row.post_s
    ]
    return {
        "cpu_s_per_gib": by_side(*spent),
        "post_us_per_descriptor": spread(posted, 3) if posted else None,
    }


def machine() -> dict[str, Any]:
    """Return what the benchmark ran on; no names of hosts."""
    return {
        "system": f"{platform.system()} {kernel_release()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
    }


def document(
    bench: str,
    bed: Bed,
    options: Mapping[str, Any],
    results: Sequence[Result],
    rows: Sequence[Mapping[str, Any]],
    ratios: Mapping[str, float],
) -> dict[str, Any]:
    """Return a benchmark's result as it is written to JSON."""
    versions = {"nixl_stripe": __version__, "python": platform.python_version()}
    for result in results:
        versions[result.case.engine] = result.version or "unknown"
    return {
        "bench": bench,
        "source": {
            nic: dict(source)
            for result in results[:1]
            for nic, source in result.pairs[0].initiator.sources.items()
        },
        "machine": {**machine(), **bed.describe()},
        "versions": versions,
        "options": dict(options),
        "rows": [dict(row) for row in rows],
        "ratios": {key: round(value, 4) for key, value in ratios.items()},
    }


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            found = next((line for line in lines if line.startswith("model name")), "")
    except OSError:
        found = ""
    return found.partition(":")[2].strip() or platform.machine()
