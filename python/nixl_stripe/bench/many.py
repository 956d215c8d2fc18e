# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench many`: many small tensors at once, and how evenly the NICs share them."""

from __future__ import annotations

import random
from typing import Any

from nixl_stripe.bench import runner
from nixl_stripe.bench.options import ALL, ONE, Options, Sides
from nixl_stripe.bench.peer_cases import mooncake_cases
from nixl_stripe.bench.peer_install import Peer
from nixl_stripe.bench.work import Work
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed

COLUMNS = ("op", "tensors", "mode", "gbps", "worst_share", "share", *runner.COSTS)
TENSORS = 290


def sets(count: int = TENSORS) -> dict[str, tuple[int, ...]]:
    """Return sizes in bytes by name: one size each, mixed ones, and one large buffer."""
    dice = random.Random(0)
    mixed = tuple(dice.randrange(4 << 10, (64 << 10) + 1, 8) for _ in range(count))
    return {
        f"{count} x 4 KiB": (4 << 10,) * count,
        f"{count} x 16 KiB": (16 << 10,) * count,
        f"{count} x 28 KiB": (28 << 10,) * count,
        f"{count} x 4..64 KiB": mixed,
        "1 x 8 MiB": (8 << 20,),
    }


def check(_options: Options, settings: tuple[str, ...] = (), count: int = TENSORS) -> None:
    """Raise UsageError for what `measure` cannot do, before anything is made for it."""
    if count < 1:
        raise UsageError(f"--tensors {count}: accepted are 1 and more")
    for text in settings:
        if not text.partition("=")[0] or "=" not in text:
            raise UsageError(f"--setting {text!r}: accepted is KEY=VALUE")


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    settings: tuple[str, ...] = (),
    count: int = TENSORS,
    peer: Peer | None = None,
) -> dict[str, Any]:
    """Run the benchmark; see the module. settings: more cases, `stripe` with an engine_config.

    peer: Mooncake beside them.
    """
    works = tuple(
        Work(f"{op} {name}", sizes, op, warmup=options.warmup, repeats=options.iterations)
        for op in options.directions()
        for name, sizes in sets(count).items()
    )
    cases = [
        sides.case("one NIC", ONE, works),
        sides.case("stock", {}, works),
        sides.case("stripe", ALL, works),
    ]
    cases += [
        sides.case(f"stripe, {text}", {**ALL, "engine_config": text}, works) for text in settings
    ]
    cases += mooncake_cases(peer, bed, options, works)
    results = runner.run(
        bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
    )
    rows = [_row(bed, result, work) for work in works for result in results]
    return runner.document("many", bed, options.to_dict(), results, rows, _ratios(rows))


def _row(bed: Bed, result: runner.Result, work: Work) -> dict[str, Any]:
    found = result.repetitions(work)
    share = runner.shares(found, bed.counters)
    even = 1 / len(share)
    return {
        **result.case.labels,
        "op": work.op,
        "tensors": work.name.partition(" ")[2],
        "gbps": runner.spread(runner.rates(work, found)),
        "worst_share": round(max(abs(part / even - 1) for part in share.values()), 4),
        "share": share,
        **runner.costs(result, work),
    }


def _ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return, for `stripe`, the worst distance from an even share, and the rate over stock."""
    ratios = {}
    for row in rows:
        if row["mode"] != "stripe":
            continue
        stock = next(
            r
            for r in rows
            if (r["mode"], r["op"], r["tensors"]) == ("stock", row["op"], row["tensors"])
        )
        key = f"{row['op'].lower()} {row['tensors']}"
        ratios[f"{key}: worst share"] = row["worst_share"]
        ratios[f"{key}: over stock"] = row["gbps"]["median"] / stock["gbps"]["median"]
    return ratios
