# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's picture: rate of each case, and the bytes that each rail carried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nixl_stripe.bench.provenance import is_busy
from nixl_stripe.errors import StripeError

_CASES = {
    "one_rail": ("patched, 1 rail", "#9aa5b1"),
    "stock": ("stock NIXL", "#d9822b"),
    "patched": ("patched, {rails} rails", "#1f6fb2"),
}
_LIMIT = "#c0392b"


def draw(path: Path, results: Mapping[str, Any]) -> None:
    """Write a PNG (or whatever the suffix of `path` says) of what the demo's JSON holds.

    Raises StripeError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise StripeError(
            f"--png {path} needs matplotlib: pip install 'nixl-stripe[plot]'"
        ) from None
    figure = Figure(figsize=(9, 4), layout="constrained")
    figure.suptitle(_title(results), fontsize="medium")
    rates, rails = figure.subplots(1, 2, width_ratios=(3, 2))
    _rates(rates, results)
    _bytes(rails, results)
    for axes in (rates, rails):
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = rails.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _title(results: Mapping[str, Any]) -> str:
    text = f"NIXL WRITE over {results['rails']} TCP rails of {results['mbit']:g} Mbit/s"
    if not is_busy(results):
        return text
    load, cpus = results["load"]["before"], results["machine"]["cpus"]
    return f"{text}\nbusy machine: {cpus} cores, load {load:.1f} at the start"


def _rates(axes: Any, results: Mapping[str, Any]) -> None:
    places = range(len(_CASES))
    rows = [results[key] for key in _CASES]
    median = [row["gbps"] for row in rows]
    low = [row["gbps"] - row["gbps_min"] for row in rows]
    high = [row["gbps_max"] - row["gbps"] for row in rows]
    bars = axes.bar(places, median, color=[shown for _, shown in _CASES.values()], width=0.6)
    axes.errorbar(places, median, [low, high], fmt="none", ecolor="#333", capsize=3)
    axes.bar_label(bars, [f"{rate:.2f}" for rate in median], label_type="center", color="w")
    one = results["mbit"] * 1e-3
    for rate, text in ((one, "limit of one rail"), (results["capacity_gbps"], "of all rails")):
        axes.axhline(rate, linestyle="--", linewidth=1, color=_LIMIT, zorder=0.5)
        place = (-0.42, rate + 0.02 * results["capacity_gbps"])
        axes.text(*place, f"{text}: {rate:g} Gbit/s", color=_LIMIT, fontsize="small")
    axes.set_xticks(places, [_name(key, results) for key in _CASES])
    axes.set_ylim(0, results["capacity_gbps"] * 1.15)
    axes.set_ylabel("payload, Gbit/s (median, min..max)")


def _bytes(axes: Any, results: Mapping[str, Any]) -> None:
    devices = list(results["patched"]["bytes_per_transfer"])
    width = 0.8 / len(_CASES)
    for index, (key, (_, shown)) in enumerate(_CASES.items()):
        places = [rail + (index - (len(_CASES) - 1) / 2) * width for rail in range(len(devices))]
        heights = [results[key]["bytes_per_transfer"][name] / (1 << 20) for name in devices]
        axes.bar(places, heights, width, color=shown, label=_name(key, results))
    axes.set_xticks(range(len(devices)), devices)
    axes.set_ylabel("MiB per transfer, counted by the NIC")


def _name(key: str, results: Mapping[str, Any]) -> str:
    return _CASES[key][0].format(rails=results["rails"])
