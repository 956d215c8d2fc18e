# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's picture: rate of each case, and the bytes that each rail carried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nixl_stripe.errors import StripeError

from demo.cases import Summary

_COLOURS = {"one_rail": "#9aa5b1", "stock": "#5b7083", "patched": "#2a9d5c"}


def draw(path: Path, summaries: Sequence[Summary], capacity_gbps: float) -> None:
    """Write a PNG (or whatever the suffix of `path` says). Raises StripeError w/o matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise StripeError(
            f"--png {path} needs matplotlib: pip install 'nixl-stripe[plot]'"
        ) from None
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    rates, rails = figure.subplots(1, 2, width_ratios=(3, 2))
    titles = [row.case.title.replace(", ", "\n") for row in summaries]
    colours = [_COLOURS[row.case.key] for row in summaries]
    bars = rates.bar(titles, [row.gbps for row in summaries], color=colours, width=0.6)
    low = [max(0.0, row.gbps - row.slowest) for row in summaries]
    high = [max(0.0, row.fastest - row.gbps) for row in summaries]
    rates.errorbar(titles, [row.gbps for row in summaries], [low, high], fmt="none", ecolor="#333")
    rates.bar_label(bars, [f"{row.gbps:.2f}" for row in summaries], label_type="center", color="w")
    rates.axhline(capacity_gbps, linestyle="--", linewidth=1, color="#c0392b")
    rates.text(-0.35, capacity_gbps * 1.02, f"all rails: {capacity_gbps:g} Gbit/s", color="#c0392b")
    rates.set_ylim(0, capacity_gbps * 1.15)
    rates.set_ylabel("payload, Gbit/s (median, min..max)")
    devices = list(summaries[0].bytes)
    width = 0.8 / len(summaries)
    for i, row in enumerate(summaries):
        places = [j + (i - (len(summaries) - 1) / 2) * width for j in range(len(devices))]
        heights = [row.bytes[name] / (1 << 20) for name in devices]
        rails.bar(places, heights, width, color=colours[i], label=row.case.title)
    rails.set_xticks(range(len(devices)), devices)
    rails.set_ylabel("MiB per transfer, counted by the NIC")
    rails.legend(fontsize="small", frameon=False)
    for axes in (rates, rails):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
