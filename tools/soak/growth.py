# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What of a process grows, and whether it grows faster than the same of stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nixl_stripe.errors import StripeError

#: What a sample holds, and how much more a cycle may leave with ours than with stock: noise.
ALLOWED = {"rss_kib": 64.0, "fds": 0.1, "threads": 0.02}


def slope(samples: Sequence[Mapping[str, int]], key: str) -> float:
    """Return the growth a cycle over the second half of the samples, by least squares."""
    half = samples[len(samples) // 2 :]
    xs = [float(each["cycle"]) for each in half]
    ys = [float(each[key]) for each in half]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    if spread == 0:
        raise StripeError(f"{len(samples)} samples make no slope: give more --minutes")
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


def growth(samples: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """Return the growth a cycle of everything that a sample holds."""
    return {key: round(slope(samples, key), 3) for key in ALLOWED}


def faults(rows: Sequence[Mapping[str, Any]], allowed: Mapping[str, float] = ALLOWED) -> list[str]:
    """Return what grows faster with ours than with stock beside it, in words."""
    stock = next(row for row in rows if row["side"] == "stock")["growth"]
    return [
        f"{row['side']}: {key} grow by {row['growth'][key]} a cycle, stock by {stock[key]}"
        for row in rows
        for key, more in allowed.items()
        if row["growth"][key] > stock[key] + more
    ]
