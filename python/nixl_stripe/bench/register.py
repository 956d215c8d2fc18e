# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench register`: seconds to register memory against NICs, regions and bytes.

Three series tell apart what a region, a NIC and a page cost: one region of growing size, many
regions of one total size, and both for every count of NICs. The ratios `cost` are that, fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nixl_stripe.bench import runner
from nixl_stripe.bench.options import ALL, Options, Sides
from nixl_stripe.bench.rails import counts
from nixl_stripe.bench.work import Work
from nixl_stripe.lab.beds.base import Bed

COLUMNS = ("nics", "tensors", "bytes", "regions", "register_ms", "deregister_ms")
_MIB = 1 << 20
TENSORS = (1, 29, 290)


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    total: int = 64 * _MIB,
    tensors: tuple[int, ...] = TENSORS,
) -> dict[str, Any]:
    """Run the benchmark; see the module. total: bytes registered; tensors: in how many pieces."""
    shapes = [(total // n, n, False) for n in tensors]
    shapes.append((total // tensors[-1], tensors[-1], True))
    shapes += [(total // 4, 1, False), (total // 16, 1, False)]
    works = tuple(_work(*shape, number) for number in range(options.iterations) for shape in shapes)
    cases = [
        sides.case("stripe", ALL if n == options.nics else {"stripe": str(n)}, works, nics=n)
        for n in counts(options.nics)
    ]
    results = runner.run(
        bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
    )
    several = [works[first :: len(shapes)] for first in range(len(shapes))]
    rows = [_row(result, same) for same in several for result in results]
    settings = {**options.to_dict(), "total_bytes": total}
    ratios = {**_ratios(rows), **{f"cost, µs: {part}": us for part, us in cost(rows).items()}}
    return runner.document("register", bed, settings, results, rows, ratios)


def _work(size: int, count: int, coalesce: bool, number: int) -> Work:
    size = max(4096, size // 4096 * 4096)
    name = f"{count} x {size}{' coalesced' if coalesce else ''}, {number}"
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


def _row(result: runner.Result, same: Sequence[Work]) -> dict[str, Any]:
    work = same[0]
    reports = [report for each in same for report in result.reports(each)]
    return {
        **result.case.labels,
        "tensors": len(work.sizes),
        "bytes": sum(work.sizes),
        "coalesced": work.coalesce,
        "regions": reports[0].regions,
        "register_ms": runner.spread((r.register_s * 1e3 for r in reports), 4),
        "deregister_ms": runner.spread((r.deregister_s * 1e3 for r in reports), 4),
    }


def cost(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Fit the medians and return microseconds for each part of a registration, none negative.

    Parts: the call, each region, each region on each NIC, each MiB, each MiB on each NIC. Rows
    count by their relative error, or the largest would decide alone.
    """
    columns = {
        "the call": [1.0 for _ in rows],
        "each region": [float(r["regions"]) for r in rows],
        "each region on each NIC": [float(r["regions"] * r["nics"]) for r in rows],
        "each MiB": [r["bytes"] / _MIB for r in rows],
        "each MiB on each NIC": [r["bytes"] / _MIB * r["nics"] for r in rows],
    }
    times = np.array([r["register_ms"]["median"] * 1e3 for r in rows])
    kept = list(columns)
    while kept:
        matrix = np.array([columns[name] for name in kept]).T / times[:, None]
        found = np.linalg.lstsq(matrix, np.ones(len(rows)), rcond=None)[0]
        worst = int(found.argmin())
        if found[worst] >= 0:
            break
        del kept[worst]
    values = dict(zip(kept, found.tolist(), strict=True)) if kept else {}
    return {name: round(values.get(name, 0.0), 3) for name in columns}


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
