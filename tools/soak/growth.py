# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What of a process grows, and whether it grows faster than the same of stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Any

from nixl_stripe.errors import StripeError

#: What a sample holds, and how much more a cycle may leave with ours than with stock: noise.
ALLOWED = {"rss_kib": 64.0, "fds": 0.1, "threads": 0.02}


def _rises(samples: Sequence[Mapping[str, int]], key: str) -> list[float]:
    """Return the growth a cycle between each two samples of the second half."""
    half = samples[len(samples) // 2 :]
    return [
        (later[key] - before[key]) / (later["cycle"] - before["cycle"])
        for before, later in combinations(half, 2)
        if later["cycle"] != before["cycle"]
    ]


def slope(processes: Sequence[Sequence[Mapping[str, int]]], key: str) -> float:
    """Return the growth a cycle over the second half of each process' samples.

    The median between all two of them (Theil and Sen): an allocator takes memory in steps, and one
    step of ten MiB is no growth, which least squares would make of it.
    """
    rises = [rise for samples in processes for rise in _rises(samples, key)]
    if not rises:
        count = sum(map(len, processes))
        raise StripeError(f"{count} samples make no slope: give more --minutes")
    return median(rises)


def growth(processes: Sequence[Sequence[Mapping[str, int]]]) -> dict[str, float]:
    """Return the growth a cycle of everything that a sample holds."""
    return {key: round(slope(processes, key), 3) for key in ALLOWED}


def faults(rows: Sequence[Mapping[str, Any]], allowed: Mapping[str, float] = ALLOWED) -> list[str]:
    """Return what grows faster with ours than with stock beside it, in words."""
    stock = next(row for row in rows if row["side"] == "stock")["growth"]
    return [
        f"{row['side']}: {key} grow by {row['growth'][key]} a cycle, stock by {stock[key]}"
        for row in rows
        for key, more in allowed.items()
        if row["growth"][key] > stock[key] + more
    ]
