# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench rails`: Gbit/s and bytes by NIC for 1, 2, ... N NICs, and for stock NIXL."""

from __future__ import annotations

from typing import Any

from nixl_stripe.bench import runner
from nixl_stripe.bench.options import ALL, Options, Sides
from nixl_stripe.bench.peer_cases import mooncake_cases
from nixl_stripe.bench.peer_install import Peer
from nixl_stripe.bench.work import Work
from nixl_stripe.lab.beds.base import Bed

_MIB = 1 << 20
#: One transfer's time on all NICs, s: so long that its start does not count.
_SECONDS = {"tcp": 0.5, "rdma": 0.4}
COLUMNS = (
    "mode",
    "nics",
    "op",
    "gbps",
    "of_limit",
    "over_one",
    "over_stock",
    "share",
    *runner.COSTS,
)


def counts(nics: int) -> list[int]:
    """Return 1, 2, 3, 4 and doubles from there on, up to and with `nics`."""
    wanted = {1, 2, 3, 4, 8, 16, 32, 64, nics}
    return sorted(n for n in wanted if n <= nics)


def transfer_bytes(bed: Bed, nics: int) -> int:
    """Return the size of one transfer, a multiple of 1 MiB."""
    mbit = bed.limit_mbit
    if mbit is None:
        return 256 * _MIB
    return max(1, round(mbit * 1e6 / 8 * nics * _SECONDS.get(bed.name, 0.5) / _MIB)) * _MIB


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    size: int | None = None,
    peer: Peer | None = None,
) -> dict[str, Any]:
    """Run the benchmark; see the module. size: bytes of one transfer. peer: Mooncake beside it."""
    size = size or transfer_bytes(bed, options.nics)
    works = tuple(
        Work(op, (size,), op, warmup=options.warmup, repeats=options.iterations)
        for op in options.directions()
    )
    cases = [sides.case("stock", {}, works, nics=2)]
    cases += [
        sides.case("stripe", ALL if n == options.nics else {"stripe": str(n)}, works, nics=n)
        for n in counts(options.nics)
    ]
    cases += mooncake_cases(peer, bed, options, works, nics=options.nics)
    results = runner.run(
        bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
    )
    rows = [_row(bed, result, work) for work in works for result in results]
    ratios = _compare(rows, options)
    settings = {**options.to_dict(), "transfer_bytes": size}
    return runner.document("rails", bed, settings, results, rows, ratios)


def _row(bed: Bed, result: runner.Result, work: Work) -> dict[str, Any]:
    found = result.repetitions(work)
    nics = result.case.labels["nics"]
    row = {
        **result.case.labels,
        "op": work.op,
        "gbps": runner.spread(runner.rates(work, found)),
        "share": runner.shares(found, bed.counters),
        **runner.costs(result, work),
    }
    if bed.limit_mbit is not None:
        row["limit_gbps"] = round(bed.limit_mbit * nics * 1e-3, 6)
        row["of_limit"] = round(row["gbps"]["median"] / row["limit_gbps"], 4)
    return row


def _compare(rows: list[dict[str, Any]], options: Options) -> dict[str, float]:
    """Add the ratios to each row and return those that matter."""
    ratios: dict[str, float] = {}
    for op in options.directions():
        mine = [row for row in rows if row["op"] == op]
        stock = next(row for row in mine if row["mode"] == "stock")["gbps"]["median"]
        one = next(row for row in mine if row["mode"] == "stripe")["gbps"]["median"]
        for row in mine:
            row["over_one"] = round(row["gbps"]["median"] / one, 4)
            row["over_stock"] = round(row["gbps"]["median"] / stock, 4)
        last = [row for row in mine if row["mode"] == "stripe"][-1]
        key = op.lower()
        ratios[f"{key}_all_over_stock"] = last["over_stock"]
        ratios[f"{key}_all_over_one"] = last["over_one"]
        if "of_limit" in last:
            ratios[f"{key}_all_of_limit"] = last["of_limit"]
        even = 1 / len(last["share"])
        ratios[f"{key}_all_worst_share"] = max(abs(s / even - 1) for s in last["share"].values())
    return ratios
