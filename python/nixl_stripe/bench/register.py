# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench register`: seconds to register memory against NICs, regions and bytes.

Three series tell apart what a region, a NIC and a page cost: one region of growing size, many
regions of one total size, and both for every count of NICs.
"""

from __future__ import annotations

from typing import Any

from nixl_stripe.bench import runner
from nixl_stripe.bench.beds import BenchBed
from nixl_stripe.bench.options import ALL, Options, Sides
from nixl_stripe.bench.rails import counts
from nixl_stripe.bench.work import Work

COLUMNS = ("nics", "tensors", "bytes", "regions", "register_ms", "deregister_ms")
_MIB = 1 << 20
TENSORS = (1, 29, 290)


def measure(
    bed: BenchBed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    total: int = 64 * _MIB,
    tensors: tuple[int, ...] = TENSORS,
) -> dict[str, Any]:
    """Run the benchmark; see the module. total: bytes registered; tensors: in how many pieces."""
    works = [_work(total // n, n, False) for n in tensors]
    works.append(_work(total // tensors[-1], tensors[-1], True))
    works += [_work(total // 4, 1, False), _work(total // 16, 1, False)]
    cases = [
        sides.case("stripe", ALL if n == options.nics else {"stripe": str(n)}, tuple(works), nics=n)
        for n in counts(options.nics)
    ]
    results = runner.run(
        bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
    )
    rows = [_row(result, work) for work in works for result in results]
    return runner.document("register", bed, options.to_dict(), results, rows, _ratios(rows))


def _work(size: int, count: int, coalesce: bool) -> Work:
    size = max(4096, size // 4096 * 4096)
    name = f"{count} x {size}{' coalesced' if coalesce else ''}"
    # A small transfer proves that every region works; its time is not looked at.
    return Work(
        name,
        (size,) * count,
        "WRITE",
        warmup=0,
        repeats=1,
        placement="arena",
        coalesce=coalesce,
        portion=64,
    )


def _row(result: runner.Result, work: Work) -> dict[str, Any]:
    reports = result.reports(work)
    return {
        **result.case.labels,
        "tensors": len(work.sizes),
        "bytes": sum(work.sizes),
        "coalesced": work.coalesce,
        "regions": reports[0].regions,
        "register_ms": runner.spread((r.register_s * 1e3 for r in reports), 4),
        "deregister_ms": runner.spread((r.deregister_s * 1e3 for r in reports), 4),
    }


def _ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return what all NICs cost over one, for each series."""
    ratios = {}
    for row in rows:
        same = [r for r in rows if all(r[k] == row[k] for k in ("tensors", "bytes", "coalesced"))]
        if row is same[-1]:
            name = f"{row['tensors']} tensors, {row['bytes'] >> 20} MiB, {row['regions']} regions"
            one = same[0]["register_ms"]["median"]
            ratios[f"{name}: all NICs of one"] = row["register_ms"]["median"] / one
    return ratios
