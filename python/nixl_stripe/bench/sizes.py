# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench sizes`: latency and bandwidth of one buffer, 4 KiB to 256 MiB, striped against one NIC.

`one NIC` opens a single device; `one rail` opens all of them, as stock NIXL does, and uses one for
each transfer. What a transfer pays for striping is the ratio to the latter. Before each repetition
the token buckets of the bed's limits are emptied, so that short transfers are limited as well.
"""

from __future__ import annotations

from typing import Any

from nixl_stripe.bench import runner
from nixl_stripe.bench.options import ALL, ONE, ONE_RAIL, Options, Sides
from nixl_stripe.bench.work import Repetition, Work
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed

COLUMNS = ("op", "bytes", "mode", "latency_us", "gbps", "share", *runner.COSTS)
#: Repetitions of small transfers are bursts: their mean is what counts.
_BURST_BYTES = 1 << 20
_BURST_MOST = 200
#: Token buckets' worth of bytes that go before each repetition: they fill up again while they are
#: emptied, at worst two thirds as fast.
_DRAIN_BUCKETS = 4


def ladder(start: int, stop: int) -> list[int]:
    """Return `start` and every fourfold of it up to `stop`; UsageError where there is none."""
    if not 1 <= start <= stop:
        raise UsageError(
            f"--start-size {start}, --size {stop}: accepted are 1 and more, "
            "the first not above the second"
        )
    sizes = [start]
    while sizes[-1] * 4 <= stop:
        sizes.append(sizes[-1] * 4)
    return sizes


def default_stop(bed: str) -> int:
    """Return the largest size that takes a single NIC of that bed a few seconds at most."""
    return {"tcp": 256 << 20, "rdma": 1 << 20}.get(bed, 256 << 20)


def check(options: Options, start: int, stop: int | None) -> None:
    """Raise UsageError for what `measure` would refuse, before anything is made for it."""
    ladder(start, default_stop(options.bed) if stop is None else stop)


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    start: int = 4 << 10,
    stop: int | None = None,
) -> dict[str, Any]:
    """Run the benchmark; see the module. start, stop: smallest and largest transfer, bytes."""
    sizes = ladder(start, default_stop(bed.name) if stop is None else stop)
    works = tuple(
        Work(
            f"{op} {size}",
            (size,),
            op,
            warmup=max(1, options.warmup),
            repeats=options.iterations,
            burst=max(1, min(_BURST_MOST, _BURST_BYTES // size)),
            drain=_DRAIN_BUCKETS * bed.bucket_bytes * len(bed.counters),
        )
        for op in options.directions()
        for size in sizes
    )
    cases = [
        sides.case("one NIC", ONE, works),
        sides.case("one rail", ONE_RAIL, works),
        sides.case("stock", {}, works),
        sides.case("stripe", ALL, works),
    ]
    results = runner.run(
        bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
    )
    rows = [_row(bed, result, work) for work in works for result in results]
    return runner.document("sizes", bed, options.to_dict(), results, rows, _ratios(rows))


def _row(bed: Bed, result: runner.Result, work: Work) -> dict[str, Any]:
    found = result.repetitions(work)
    return {
        **result.case.labels,
        "op": work.op,
        "bytes": work.sizes[0],
        "latency_us": runner.spread((mean_s(row) * 1e6 for row in found), 2),
        "gbps": runner.spread(work.payload_bytes * 8e-9 / mean_s(row) for row in found),
        "share": runner.shares(found, bed.counters),
        **runner.costs(result, work),
    }


def mean_s(row: Repetition) -> float:
    """Return the mean time of a burst's transfers.

    A process that is interrupted finds the buckets full when it goes on, so single transfers can
    beat the limit. All of a burst cannot, by more than a bucket.
    """
    return sum(row.seconds) / len(row.seconds)


def _ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return latency striped over that of one rail and of one NIC, for each operation and size."""
    by_key = {(row["op"], row["bytes"], row["mode"]): row["latency_us"]["median"] for row in rows}
    return {
        f"{op.lower()}_{size}_latency_of_{name}": value / by_key[op, size, base]
        for (op, size, mode), value in by_key.items()
        if mode == "stripe"
        for name, base in (("one_rail", "one rail"), ("one_nic", "one NIC"))
    }
