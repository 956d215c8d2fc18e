# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench refit`: 290 tensors of Qwen3-4B pulled three times, the first time cold.

A cycle of weight refit is allocation, registration and pull. The first one of a process pays for
all three and for the connection; the next ones only for the pull. Modes: `auto` (one NIC), `stock`,
`stripe` (every NIC), `stripe, coalesced` (every NIC, neighbouring tensors registered as one region;
see `nixl_stripe.registration`) and `stripe, overlapped` (registered in portions while the ones
before are moving; see `nixl_stripe.cold_move`: all of it counts as pull).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nixl_stripe.bench import runner
from nixl_stripe.bench.options import ALL, ONE, Options, Sides
from nixl_stripe.bench.peer_cases import mooncake_cases
from nixl_stripe.bench.peer_install import Peer
from nixl_stripe.bench.shapes import qwen3_4b
from nixl_stripe.bench.work import Work
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.job import Op

CYCLES = 3
COLUMNS = (
    "mode",
    "op",
    "cycle",
    "alloc_s",
    "register_s",
    "pull_s",
    "total_s",
    "gbps",
    *runner.COSTS,
)
#: Moving all bytes over the bed's slowest mode takes about this long at the default scale, s.
_SECONDS = 4.0


def default_scale(bed: Bed) -> float:
    """Return a scale that suits a bed's rates; 1 where nothing limits them."""
    if bed.limit_mbit is None:
        return 1.0
    return min(1.0, bed.limit_mbit * 1e6 / 8 * _SECONDS / sum(qwen3_4b()))


def check(_options: Options, scale: float | None) -> None:
    """Raise ValueError for what `measure` refuses, before anything is made for it."""
    if scale is not None:
        qwen3_4b(scale)


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    scale: float | None = None,
    peer: Peer | None = None,
) -> dict[str, Any]:
    """Run the benchmark; see the module. scale: factor on the tensors' sizes. peer: Mooncake."""
    scale = default_scale(bed) if scale is None else scale
    sizes = qwen3_4b(scale)
    rows: list[dict[str, Any]] = []
    ratios: dict[str, float] = {}
    everything: list[runner.Result] = []
    for op in options.directions():
        # A process of its own for each operation, since its first cycle must be its first transfer.
        plain = Work("refit", sizes, op, warmup=0, repeats=CYCLES, placement="arena")
        whole = dataclasses.replace(plain, coalesce=True)
        portions = dataclasses.replace(whole, overlap=True)
        cases = [
            sides.case("auto", _one(options), (plain,), op=op),
            sides.case("stock", {}, (plain,), op=op),
            sides.case("stripe", ALL, (plain,), op=op),
            sides.case("stripe, coalesced", ALL, (whole,), op=op),
            sides.case("stripe, overlapped", ALL, (portions,), op=op),
            *mooncake_cases(peer, bed, options, (plain,), op=op),
        ]
        results = runner.run(
            bed, cases, options.rounds, say, memory=options.memory, corrupt=options.corrupt
        )
        mine = [row for result in results for row in _rows(result, bed)]
        rows += mine
        ratios.update(_ratios(op, mine))
        everything += results
    settings = {
        **options.to_dict(),
        "scale": round(scale, 6),
        "tensors": len(sizes),
        "payload_bytes": sum(sizes),
        "cycles": CYCLES,
    }
    return runner.document("refit", bed, settings, everything, rows, ratios)


def _one(options: Options) -> dict[str, str]:
    """One NIC by affinity; host memory has none, so the first NIC there."""
    return {"stripe": "auto"} if options.memory == "vram" else ONE


def _rows(result: runner.Result, bed: Bed) -> list[dict[str, Any]]:
    work = result.case.works[0]
    rows = []
    for cycle in range(CYCLES):
        cold = cycle == 0
        reports = result.reports(work)
        found = [report.repetitions[cycle] for report in reports]
        pulls = [row.prepare_s + row.seconds[0] for row in found]
        allocs = [report.alloc_s if cold else 0.0 for report in reports]
        registers = [report.register_s if cold else 0.0 for report in reports]
        totals = [sum(parts) for parts in zip(allocs, registers, pulls, strict=True)]
        rows.append(
            {
                **result.case.labels,
                "cycle": cycle + 1,
                "kind": "cold" if cold else "warm",
                "alloc_s": runner.spread(allocs),
                "register_s": runner.spread(registers),
                "pull_s": runner.spread(pulls),
                "total_s": runner.spread(totals),
                "gbps": runner.spread(work.payload_bytes * 8e-9 / pull for pull in pulls),
                "regions": reports[0].regions,
                "share": runner.shares(found, bed.counters),
                **runner.costs(result, work, cycle),
            }
        )
    return rows


def _ratios(op: Op, rows: list[dict[str, Any]]) -> dict[str, float]:
    def median(mode: str, kind: str, column: str) -> float:
        found = [r[column]["median"] for r in rows if r["mode"] == mode and r["kind"] == kind]
        return float(sum(found) / len(found))

    key = op.lower()
    stripe, best, overlapped = "stripe", "stripe, coalesced", "stripe, overlapped"
    cold_one = median("auto", "cold", "total_s")
    return {
        f"{key}_warm_pull_over_stock": median("stock", "warm", "pull_s")
        / median(stripe, "warm", "pull_s"),
        f"{key}_warm_pull_over_one": median("auto", "warm", "pull_s")
        / median(stripe, "warm", "pull_s"),
        f"{key}_cold_total_of_one": median(stripe, "cold", "total_s") / cold_one,
        f"{key}_cold_total_coalesced_of_one": median(best, "cold", "total_s") / cold_one,
        f"{key}_cold_total_overlapped_of_one": median(overlapped, "cold", "total_s") / cold_one,
        f"{key}_cold_register_of_one": median(stripe, "cold", "register_s")
        / median("auto", "cold", "register_s"),
        f"{key}_cold_register_coalesced_of_one": median(best, "cold", "register_s")
        / median("auto", "cold", "register_s"),
    }
