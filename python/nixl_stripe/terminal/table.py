# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Columns of text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from nixl_stripe.terminal.screen import Screen
from nixl_stripe.untrusted import one_line

_GAP = "  "
#: Characters of a cell.
_LONGEST = 4096


class Cell(NamedTuple):
    """A text and how it is to look."""

    text: str
    style: str = ""


def table(
    screen: Screen,
    heads: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    left: Collection[str] = (),
) -> list[str]:
    """Return the lines of a table: columns of the heads in `left` to the left, others to the right.

    The last column may be as long as it likes.
    """
    cells = [[_cell(each) for each in row] for row in rows]
    widths = [
        max([len(head), *(len(row[i].text) for row in cells)]) for i, head in enumerate(heads)
    ]
    lines = [[Cell(head, "bold") for head in heads], *cells]
    return [_line(screen, line, widths, [head in left for head in heads]) for line in lines]


def _cell(given: str | Cell) -> Cell:
    """Return a cell of one line, whose text is as wide as it will be shown."""
    cell = Cell(given) if isinstance(given, str) else given
    return cell._replace(text=one_line(cell.text, _LONGEST))


def _line(
    screen: Screen, cells: Sequence[Cell], widths: Sequence[int], to_left: Sequence[bool]
) -> str:
    parts = []
    for i, (cell, width, is_left) in enumerate(zip(cells, widths, to_left, strict=True)):
        space = " " * (width - len(cell.text))
        shown = screen.styled(cell.text, cell.style)
        last = i == len(cells) - 1
        parts.append((shown if last else shown + space) if is_left else space + shown)
    return _GAP.join(parts).rstrip()
