# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A benchmark's rows as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nixl_stripe.bench.provenance import is_busy
from nixl_stripe.terminal import Screen, table

#: From here on four digits would be written with an exponent.
_LARGE = 9999.5
_PERCENT = ("busiest", "of_limit", "worst_share")


def filled(document: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Return the columns that hold a value in any row: older results have fewer."""
    return [c for c in columns if any(row.get(c) is not None for row in document["rows"])]


def show(screen: Screen, document: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Print the chosen columns of every row: medians with their quartiles, shares in percent."""
    columns = filled(document, columns)
    rows = [[cell(name, row.get(name)) for name in columns] for row in document["rows"]]
    lines = [_title(document), *table(screen, columns, rows, left=("mode", "op", "tensors"))]
    lines += [f"  {name}: {value:.3f}" for name, value in document.get("ratios", {}).items()]
    if is_busy(document):
        text = "  busy machine, more to run than cores: rates and ratios are those of no idle one"
        lines.append(screen.styled(text, "yellow"))
    screen.say("\n".join(lines))


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
        return "..".join(_number(part) for part in value)
    if isinstance(value, Mapping):
        return f"{_number(value['median'])} ({_number(value['q1'])}..{_number(value['q3'])})"
    if name in _PERCENT:
        return f"{100 * value:.1f} %"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    """Return four digits that count, and never a power of ten in the place of a large number."""
    return f"{value:.0f}" if abs(value) >= _LARGE else f"{value:.4g}"
