# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nixl_stripe.terminal import Cell, Screen, table

from demo.cases import Summary

_MIB = 1 << 20
#: With more rails than this there is no column for each.
_COLUMNS = 8


def lane_text(lanes: Mapping[str, float]) -> str:
    """Return `4 x 25 %` for even shares, the shares in order for uneven ones."""
    shares = [round(100 * share) for share in lanes.values()]
    if shares and len(set(shares)) == 1:
        return f"{len(shares)} x {shares[0]} %"
    return " + ".join(f"{share} %" for share in shares) or "none reported"


def show(screen: Screen, summaries: Sequence[Summary], title: str) -> None:
    """Print the rates, and below them what each rail carried; both fit 80 columns for few rails."""
    heads = ("", "Gbit/s", "min..max", "x 1 rail", "rails used", "UCX lanes")
    base = summaries[0].gbps
    rows: list[list[str | Cell]] = [
        [
            row.case.title,
            Cell(f"{row.gbps:.2f}", "bold"),
            f"{row.slowest:.2f}..{row.fastest:.2f}",
            f"{row.gbps / base:.2f}",
            str(row.rails_used),
            lane_text(row.lanes),
        ]
        for row in summaries
    ]
    lines = [title, *table(screen, heads, rows, left=("",))]
    devices = list(summaries[0].bytes)
    if len(devices) <= _COLUMNS:
        lines += ["", *_bytes_table(screen, summaries, devices)]
    screen.say("\n".join([*lines, ""]))


def _bytes_table(screen: Screen, summaries: Sequence[Summary], devices: Sequence[str]) -> list[str]:
    rows = [
        [row.case.title, *(f"{row.bytes[name] / _MIB:.1f}" for name in devices)]
        for row in summaries
    ]
    title = "MiB per rail and transfer, headers included"
    return [title, *table(screen, ("", *devices), rows, left=("",))]
