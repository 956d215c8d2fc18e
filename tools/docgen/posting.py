# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What posting costs a descriptor: `scripts/bench-posting`'s cells, each beside its stock twin."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from posting.cells import MODES

from docgen.files import result, table

Row = Mapping[str, Any]

#: What stands in a row beside stock itself.
BESIDE = [mode for mode in MODES if mode != "stock"]
CELL = ("transport", "progress_thread", "threads", "operation", "descriptors", "bytes")


def rows() -> str:
    """Return every cell: stock's time, and the ratio of each other side with its 95 % interval."""
    body = []
    for cell, sides in _cells():
        transport, progress, threads, operation, descriptors, size = cell
        body.append(
            [
                f"{transport} {operation}",
                f"{descriptors} x {size // 1024} KiB",
                f"{threads}, {_switch(progress)}",
                f"{sides['stock']['post_us_per_descriptor']:.2f}",
                *(_ratio(sides[mode]) for mode in BESIDE),
            ]
        )
    heads = ["", "request", "threads, progress thread", "stock, us", *BESIDE]
    return table(heads, body)


def summary() -> str:
    """Return the median of the cells' ratios, by transport and progress thread, and of all."""
    cells = list(_cells())
    groups = sorted({cell[:2] for cell, _ in cells}, reverse=True)
    body = [
        [
            f"{transport}, progress thread {_switch(progress)}",
            *_medians(sides for cell, sides in cells if cell[:2] == (transport, progress)),
        ]
        for transport, progress in groups
    ]
    body.append([f"all {len(cells)} cells", *_medians(sides for _, sides in cells)])
    return table(["median of the ratios to stock", *BESIDE], body)


def ratio(mode: str) -> str:
    """Return the median ratio of a side over all cells."""
    return _medians(sides for _, sides in _cells())[BESIDE.index(mode)]


def _cells() -> Iterable[tuple[tuple[Any, ...], dict[str, Row]]]:
    found: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in result("posting")["rows"]:
        found.setdefault(tuple(row[key] for key in CELL), {})[row["mode"]] = row
    return found.items()


def _medians(cells: Iterable[Mapping[str, Row]]) -> list[str]:
    listed = list(cells)
    return [
        f"{statistics.median(sides[mode]['ratio']['median'] for sides in listed):.3f}"
        for mode in BESIDE
    ]


def _ratio(row: Row) -> str:
    found = row["ratio"]
    return f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _switch(on: bool) -> str:
    return "on" if on else "off"
