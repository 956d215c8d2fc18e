# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from nixl_stripe.demo.cases import Summary

_MIB = 1 << 20
#: More rails than this and the table says how many carried data instead of one column each.
_COLUMNS = 8


def lane_text(lanes: Mapping[str, float]) -> str:
    """Return `4 x 25 %` for even shares, the shares in order for uneven ones."""
    shares = [round(100 * share) for share in lanes.values()]
    if shares and len(set(shares)) == 1:
        return f"{len(shares)} x {shares[0]} %"
    return " + ".join(f"{share} %" for share in shares) or "none reported"


def show(console: Console, summaries: Sequence[Summary], title: str) -> None:
    """Print one row a case."""
    devices = list(summaries[0].bytes)
    apart = len(devices) <= _COLUMNS
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.caption = "rail columns: MiB counted by the interface for one transfer, headers included"
    table.add_column("")
    for name in ("Gbit/s", "min..max", "x 1 rail", "rails", "UCX lanes"):
        table.add_column(name, justify="right")
    for name in devices if apart else []:
        table.add_column(name, justify="right")
    base = summaries[0].gbps
    for row in summaries:
        cells = [row.case.title, f"[bold]{row.gbps:.2f}[/bold]"]
        cells += [f"{row.slowest:.2f}..{row.fastest:.2f}", f"{row.gbps / base:.2f}"]
        cells += [str(row.rails_used), lane_text(row.lanes)]
        cells += [f"{row.bytes[name] / _MIB:.1f}" for name in devices] if apart else []
        table.add_row(*cells)
    console.print(table)
