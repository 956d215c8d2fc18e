# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The matrix of a run as a picture: a cell a pair, by what it showed; the same at 8 and 512 hosts.

Cells of one class are one path, runs of them one stroke of it, so that a browser draws a quarter of
a million of them at once.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Data = Mapping[str, Any]

#: Class of a cell, what it says, its colour; the worst last. Tuned for both kinds of colour vision.
CLASSES: tuple[tuple[str, str, str], ...] = (
    ("good", "as quick as most", "#9cc9e8"),
    ("slower", "over 1.25 times the median", "#f2d16b"),
    ("slow", "over twice the median", "#e08a3c"),
    ("failed", "failed, or a NIC idle", "#b3263e"),
    ("gone", "a host was gone", "#3d3d46"),
)
_RANK = {name: at for at, (name, _, _) in enumerate(CLASSES)}
_SLOWER, _SLOW = 1.25, 2.0
#: Of an even share: what a NIC that carried nothing has at most.
_SILENT = 0.1
#: Of names: readable on light and on dark pages, as the picture may stand on either.
_TEXT = "#76808b"
#: Units of the drawing: a side of the matrix; names are written where a cell has room for them.
_SIDE, _NAMED = 640.0, 9.0


def classes(data: Data) -> dict[tuple[str, str], str]:
    """Return the class of each cell, (sender, receiver), the worst of its transfers.

    A pair that was measured one way only stands in both its cells.
    """
    rails = {each["host"]: (each["nics"], each["rails"]) for each in data["hosts"]}
    medians = _medians(data["pairs"])
    found: dict[tuple[str, str], str] = {}
    for each in data["pairs"]:
        if not each["repeat"]:
            cell = each["sender"], each["receiver"]
            kind = _class(each, rails.get(each["sender"], ((), 0)), medians)
            found[cell] = max(found.get(cell, kind), kind, key=_RANK.__getitem__)
    turned = {(receiver, sender): kind for (sender, receiver), kind in found.items()}
    return {**turned, **found}


def _medians(pairs: Sequence[Data]) -> dict[str, float]:
    times: dict[str, list[float]] = defaultdict(list)
    for each in pairs:
        if each["ok"]:
            times[each["op"]].append(each["seconds"])
    return {op: statistics.median(each) for op, each in times.items()}


def _class(pair: Data, plan: tuple[Sequence[str], int], medians: Mapping[str, float]) -> str:
    nics, rails = plan
    if pair["lost"]:
        return "gone"
    even = sum(pair["sent"].values()) / max(1, len(nics))
    silent = rails >= len(nics) and any(pair["sent"].get(nic, 0) < _SILENT * even for nic in nics)
    if not pair["ok"] or silent:
        return "failed"
    ratio = pair["seconds"] / (medians.get(pair["op"]) or 1.0)
    return "slow" if ratio > _SLOW else "slower" if ratio > _SLOWER else "good"


def picture(data: Data) -> str:
    """Return the matrix as SVG, with names where there is room, and what the colours say."""
    hosts = [str(each["host"]) for each in data["hosts"]]
    cell = _SIDE / max(1, len(hosts))
    left = _margin(hosts, cell)
    top = left
    width, height = left + _SIDE + 8, top + _SIDE + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="system-ui, sans-serif" role="img" aria-label="Pairs of hosts">',
        f'<g id="matrix" transform="translate({left:.1f} {top:.1f}) scale({cell:.4f})" '
        'shape-rendering="crispEdges">',
        f'<rect width="{len(hosts)}" height="{len(hosts)}" fill="#eef0f3"/>',
        *_paths(hosts, classes(data), gap=0.06 if cell >= 4 else 0.0),
        "</g>",
        *_names(hosts, cell, left, top),
        *_legend(left, top + _SIDE + 24),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _margin(hosts: Sequence[str], cell: float) -> float:
    if cell < _NAMED:
        return 8.0
    return min(160.0, 14.0 + 0.6 * min(cell, 12.0) * max(map(len, hosts), default=1))


def _paths(hosts: Sequence[str], cells: Mapping[tuple[str, str], str], gap: float) -> list[str]:
    strokes: dict[str, list[str]] = defaultdict(list)
    for row, sender in enumerate(hosts):
        at = 0
        while at < len(hosts):
            kind = cells.get((sender, hosts[at]))
            end = at + 1
            while not gap and end < len(hosts) and cells.get((sender, hosts[end])) == kind:
                end += 1
            if kind is not None:
                wide, high = end - at - gap, 1 - gap
                strokes[kind].append(f"M{at} {row}h{wide:g}v{high:g}h-{wide:g}z")
            at = end
    return [
        f'<path fill="{colour}" d="{"".join(strokes[name])}"><title>{text}</title></path>'
        for name, text, colour in CLASSES
        if strokes[name]
    ]


def _names(hosts: Sequence[str], cell: float, left: float, top: float) -> list[str]:
    if cell < _NAMED:
        return []
    size = min(12.0, cell * 0.8)
    found = []
    for at, host in enumerate(hosts):
        middle, name = (at + 0.5) * cell, escape(host)
        found.append(
            f'<text x="{left - 6:.1f}" y="{top + middle + size / 3:.1f}" font-size="{size:.1f}" '
            f'text-anchor="end" fill="{_TEXT}">{name}</text>'
        )
        x, y = left + middle + size / 3, top - 6
        found.append(
            f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" font-size="{size:.1f}" '
            f'fill="{_TEXT}">{name}</text>'
        )
    return found


def _legend(left: float, y: float) -> list[str]:
    found, x = [], left
    for _, text, colour in CLASSES:
        found.append(f'<rect x="{x:.0f}" y="{y - 9:.0f}" width="10" height="10" fill="{colour}"/>')
        found.append(
            f'<text x="{x + 14:.0f}" y="{y:.0f}" font-size="9" fill="{_TEXT}">{text}</text>'
        )
        x += 24 + 4.9 * len(text)
    return found
