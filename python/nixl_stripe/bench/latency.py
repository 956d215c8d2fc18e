# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench latency`: what striping costs one small transfer, on a machine that is never quiet.

All modes live in one pair of processes and take turns, burst by burst, so that whatever else the
processors do meets them alike; a ratio is the median of those of neighbouring bursts. Every mode
opens all NICs of the bed, as stock NIXL does: `one rail` and `two rails`, which is stock NIXL's
choice, differ from `stripe` in how many of them an operation may use. The initiator polls by itself
(no progress thread).

With `with_resume` it compares `stripe` with itself, which shows what the machine's noise makes of
nothing, and with `on_nic_loss=resume` while no NIC is lost.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from nixl_stripe.bench import runner
from nixl_stripe.bench.options import ALL, ONE_RAIL, Options, Sides
from nixl_stripe.bench.work import Repetition, Work
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed

COLUMNS = (
    *("op", "bytes", "mode", "latency_us", "of_one_rail", "of_stripe", "share"),
    *runner.COSTS,
)
#: Parameters of each mode; the first is what the others are compared with.
MODES = {"one rail": ONE_RAIL, "two rails": {"max_rma_rails": "2"}, "stripe": ALL}
RESUME_MODES = {"stripe": ALL, "stripe again": ALL, "resume": {**ALL, "on_nic_loss": "resume"}}
#: Transfers of a burst; the first is not counted, which may find the processor's caches cold.
_BURST = 11
#: Bursts of each mode and process pair for each of the command's iterations.
_BURSTS = 20


def check(options: Options, size: int, with_resume: bool = False) -> None:
    """Raise UsageError for what `measure` refuses, before anything is made for it."""
    if size < 1:
        raise UsageError(f"--size {size}: accepted are 1 and more")
    if with_resume and options.bed != "tcp":
        raise UsageError(f"--with-resume: accepted is --bed tcp, not {options.bed}")
    if with_resume and options.nics < 2:
        raise UsageError(f"--with-resume: accepted are --nics 2 and more, not {options.nics}")


def measure(
    bed: Bed,
    sides: Sides,
    options: Options,
    say: runner.Say,
    size: int = 4 << 10,
    with_resume: bool = False,
) -> dict[str, Any]:
    """Run the benchmark; see the module. size: bytes of the transfer."""
    check(options, size, with_resume)
    modes = RESUME_MODES if with_resume else MODES
    base = next(iter(modes)).replace(" ", "_")
    rows = []
    ratios: dict[str, float] = {}
    results = runner.run(
        bed,
        [_case(op, size, sides, options, modes) for op in options.directions()],
        options.rounds,
        say,
        memory=options.memory,
        corrupt=options.corrupt,
    )
    for result in results:
        op = result.case.labels["op"]
        for number, (mode, work) in enumerate(zip(modes, result.case.works, strict=True)):
            rows.append(_row(bed, result, work, mode, f"of_{base}"))
            if number > 0:
                name = f"{op.lower()}_{size}_{mode.replace(' ', '_')}_of_{base}"
                ratios[name] = rows[-1][f"of_{base}"]["median"]
    return runner.document("latency", bed, options.to_dict(), results, rows, ratios)


def _case(
    op: Any, size: int, sides: Sides, options: Options, modes: Mapping[str, Mapping[str, str]]
) -> runner.Case:
    works = tuple(
        Work(
            mode,
            (size,),
            op,
            warmup=options.warmup,
            repeats=_BURSTS * options.iterations,
            burst=_BURST,
        )
        for mode in modes
    )
    # A backend that resumes is not made for a peer with one interface.
    target = ALL if modes is RESUME_MODES else {}
    return runner.Case(
        {"op": op}, works, sides.patched, params=target, rivals=tuple(modes.values())
    )


def _row(bed: Bed, result: runner.Result, work: Work, mode: str, of_base: str) -> dict[str, Any]:
    found = result.repetitions(work)
    bases = result.repetitions(result.case.works[0])
    pairs = zip(found, bases, strict=True)
    return {
        **result.case.labels,
        "bytes": work.sizes[0],
        "mode": mode,
        "latency_us": runner.spread((s * 1e6 for row in found for s in row.seconds[1:]), 2),
        of_base: runner.spread((_middle(row) / _middle(base) for row, base in pairs), 4),
        "share": runner.shares(found, bed.counters),
        **runner.costs(result, work),
    }


def _middle(row: Repetition) -> float:
    middle: float = statistics.median(row.seconds[1:])
    return middle
