# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Ratios of paired measurements, with the interval in which their median lies."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

_OUTSIDE_AT_ONE_END = 0.025


@dataclass(frozen=True)
class Ratio:
    """The median of paired ratios and its 95 % interval."""

    median: float
    low: float
    high: float
    pairs: int


def paired(times: Sequence[float], stock: Sequence[float]) -> Ratio:
    """Compare two sides that took turns: the i-th time of each was measured in the i-th round.

    The interval is that of the median by order statistics (the sign test's): it assumes nothing of
    how the ratios are distributed. Raises ValueError for fewer than six rounds, which cannot
    have one.
    """
    if len(times) != len(stock) or len(times) < 6:
        raise ValueError(f"{len(times)} and {len(stock)} rounds: accepted are six pairs or more")
    ratios = sorted(ours / theirs for ours, theirs in zip(times, stock, strict=True))
    low, high = median_ranks(len(ratios))
    return Ratio(statistics.median(ratios), ratios[low], ratios[high], len(ratios))


def median_ranks(count: int) -> tuple[int, int]:
    """Return the ranks, from 0, of the values between which the median lies in 95 % of samples."""
    rank, outside = -1, 0.0
    while outside + comb(count, rank + 1) / 2**count <= _OUTSIDE_AT_ONE_END:
        rank += 1
        outside += comb(count, rank) / 2**count
    rank = max(rank, 0)
    return rank, count - 1 - rank
