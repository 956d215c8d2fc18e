# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench peers`: the same work by `stripe`, by NIXL's own settings and by Mooncake, in one run.

NIXL: as it comes; with UCX_MAX_RMA_RAILS in the environment, which a user tries first; with the
settings that would stripe, through `engine_config`. Mooncake's Transfer Engine: see `peer_cases`.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from nixl_stripe.bench import many, runner
from nixl_stripe.bench.many import TENSORS
from nixl_stripe.bench.options import ALL, Options, Sides
from nixl_stripe.bench.peer_cases import mooncake_cases
from nixl_stripe.bench.peer_install import Peer
from nixl_stripe.bench.work import Repetition, Work
from nixl_stripe.lab.beds.base import Bed

COLUMNS = ("op", "tensors", "mode", "gbps", "of_stripe", "share", "busiest", *runner.COSTS)
STRIPE = "stripe"


def sets(count: int = TENSORS) -> dict[str, tuple[int, ...]]:
    """Return sizes in bytes by name: one large buffer, and many small ones of two sizes."""
    return {
        "1 x 8 MiB": (8 << 20,),
        f"{count} x 28 KiB": (28 << 10,) * count,
        f"{count} x 4 KiB": (4 << 10,) * count,
    }


def check(options: Options, count: int) -> None:
    """Raise UsageError for what `measure` cannot do, before anything is made for it."""
    many.check(options, count=count)


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    peer: Peer,
    count: int = TENSORS,
) -> dict[str, Any]:
    """Run the benchmark; see the module. count: tensors of the sets of many."""
    works = tuple(
        Work(f"{op} {name}", sizes, op, warmup=options.warmup, repeats=options.iterations)
        for op in options.directions()
        for name, sizes in sets(count).items()
    )
    cases = cases_of(sides, len(bed.counters), works)
    cases += mooncake_cases(peer, bed, options, works)
    results = runner.run(
        bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
    )
    rows = [_row(bed, result, work) for work in works for result in results]
    return runner.document("peers", bed, options.to_dict(), results, rows, compare(rows))


def cases_of(sides: Sides, rails: int, works: tuple[Work, ...]) -> list[runner.Case]:
    """Return NIXL's cases for a bed of `rails` NICs."""
    settings = f"MAX_RMA_RAILS={rails},MAX_HCA_PER_GPU=inf,DISTANCE_BW=1000GBs"
    by_variable = sides.case("stock, UCX_MAX_RMA_RAILS", {}, works)
    return [
        sides.case("stock", {}, works),
        dataclasses.replace(by_variable, environment={"UCX_MAX_RMA_RAILS": str(rails)}),
        sides.case("stock, engine_config", {"engine_config": settings}, works),
        sides.case(STRIPE, ALL, works),
    ]


def _row(bed: Bed, result: runner.Result, work: Work) -> dict[str, Any]:
    found = result.repetitions(work)
    return {
        **result.case.labels,
        "engine": result.case.engine,
        "op": work.op,
        "tensors": work.name.partition(" ")[2],
        "gbps": runner.spread(runner.rates(work, found)),
        "share": runner.shares(found, bed.counters),
        "busiest": round(statistics.median(busiest(found)), 4),
        **runner.costs(result, work),
    }


def busiest(rows: Iterable[Repetition]) -> list[float]:
    """Return, for each transfer, the busiest NIC's share: NICs may take turns, one at a time."""
    return [max(row.bytes.values()) / max(1, sum(row.bytes.values())) for row in rows]


def compare(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Add each row's rate as a part of `stripe`'s; return `stripe` over the best of each engine."""
    ratios: dict[str, float] = {}
    for stripe in (row for row in rows if row["mode"] == STRIPE):
        same = [r for r in rows if (r["op"], r["tensors"]) == (stripe["op"], stripe["tensors"])]
        mine = stripe["gbps"]["median"]
        for row in same:
            row["of_stripe"] = round(row["gbps"]["median"] / mine, 4)
        key = f"{stripe['op'].lower()} {stripe['tensors']}"
        for name, engine in (("Mooncake", "mooncake"), ("NIXL's own settings", "nixl")):
            rates = [r["gbps"]["median"] for r in same if r["engine"] == engine and r is not stripe]
            ratios[f"{key}: stripe over the best of {name}"] = mine / max(rates)
    return ratios
