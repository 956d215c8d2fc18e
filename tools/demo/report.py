# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

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


def show(console: Console, summaries: Sequence[Summary], title: str) -> None:
    """Print the rates, and below them what each rail carried; both fit 80 columns for few rails."""
    rates = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    rates.add_column("")
    for name in ("Gbit/s", "min..max", "x 1 rail", "rails used", "UCX lanes"):
        rates.add_column(name, justify="right")
    base = summaries[0].gbps
    for row in summaries:
        rates.add_row(
            row.case.title,
            f"[bold]{row.gbps:.2f}[/bold]",
            f"{row.slowest:.2f}..{row.fastest:.2f}",
            f"{row.gbps / base:.2f}",
            str(row.rails_used),
            lane_text(row.lanes),
        )
    console.print(rates)
    devices = list(summaries[0].bytes)
    if len(devices) <= _COLUMNS:
        console.print(_bytes_table(summaries, devices))


def _bytes_table(summaries: Sequence[Summary], devices: Sequence[str]) -> Table:
    title = "MiB per rail and transfer, headers included"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("")
    for name in devices:
        table.add_column(name, justify="right")
    for row in summaries:
        table.add_row(row.case.title, *[f"{row.bytes[name] / _MIB:.1f}" for name in devices])
    return table
