# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A benchmark's rows as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_PERCENT = ("busiest", "of_limit", "worst_share")


def filled(document: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Return the columns that hold a value in any row: older results have fewer."""
    return [c for c in columns if any(row.get(c) is not None for row in document["rows"])]


def show(console: Console, document: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Print the chosen columns of every row: medians with their quartiles, shares in percent."""
    table = Table(title=_title(document), title_justify="left", box=SIMPLE_HEAD)
    columns = filled(document, columns)
    for name in columns:
        table.add_column(name, justify="left" if name in ("mode", "op", "tensors") else "right")
    for row in document["rows"]:
        table.add_row(*[cell(name, row.get(name)) for name in columns])
    console.print(table)
    for name, value in document.get("ratios", {}).items():
        console.print(f"  {name}: {value:.3f}", highlight=False)


def _title(document: Mapping[str, Any]) -> str:
    machine = document["machine"]
    if "bed" not in machine:
        return "backend creation"
    limit = machine["mbit"]
    rate = "no limit" if limit is None else f"{limit:g} Mbit/s each"
    where = f"{machine['bed']}, {machine['nics']} NICs, {rate}"
    return f"{document['bench']}: {where}; every byte checked"


def cell(name: str, value: Any) -> str:
    """Return a value as short text."""
    if value is None:
        return "-"
    if name == "cpu_s_per_gib":
        return "/".join(f"{side['total']:.3g}" for side in value.values())
    if name == "share":
        return "/".join(f"{100 * part:.0f}" for part in value.values())
    if isinstance(value, list):
        return "..".join(f"{part:.4g}" for part in value)
    if isinstance(value, Mapping):
        return f"{value['median']:.4g} ({value['q1']:.4g}..{value['q3']:.4g})"
    if name in _PERCENT:
        return f"{100 * value:.1f} %"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
