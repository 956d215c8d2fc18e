# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a verification on a bed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.load import busy_text, load_average
from nixl_stripe.verify.judge import judge
from nixl_stripe.verify.request import Request
from nixl_stripe.verify.result import OpResult, Report
from nixl_stripe.verify.verdict import NOTHING

Say = Callable[[str], None]


def _quiet(text: str) -> None:
    del text


def verify(request: Request, bed: Bed, say: Say = _quiet) -> Report:
    """Transfer as `request` says, with its parameters and without, and judge what was seen.

    say: is told what happens now, one line each. A transfer that fails is a result that is not ok.
    """
    ops, load = request.ops or bed.ops(), load_average()
    results: list[OpResult] = []
    for op in ops:
        say(f"{op}: {request.repeats} transfer(s) {bed.where}")
        outcome = bed.transfer(request.transfer(op, request.params))
        stock = None
        if request.stock and outcome.ok:
            say(f"{op}: the same without parameters, for comparison")
            stock = bed.transfer(request.transfer(op, {}))
        result = judge(request, outcome, stock)
        if bed.limit_mbit is not None:
            planned = bed.limit_mbit * len(result.planned) * 1e-3
            result = dataclasses.replace(result, ceiling_gbps=planned)
        results.append(result)
    return Report(bed.where, tuple(results), (*bed.notes, *_notes(results, load)))


def _notes(results: list[OpResult], load: float) -> tuple[str, ...]:
    nothing = NOTHING if any(len(result.planned) == 1 for result in results) else ""
    return tuple(note for note in (nothing, busy_text(load)) if note)
