# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the tables that UCX prints under `UCX_PROTO_INFO=y`: lanes by operation and size.

UCX writes them in pieces between other output, so that lines are found by their shape. It ends a
cell after 127 characters: of eight NICs and more it prints the first seven or so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

_ROW = re.compile(r"^(?:\[[^]]*\]\s*\[[^]]*\]\s*)?\|\s(?P<cells>.*?)\s*\|\s*$")
_RANGE = re.compile(r"^(?P<low>\S+?)(?:\.\.(?P<high>\S+))?$")
_SHARE = re.compile(r"(?<!\d)(?P<percent>\d{1,3})% on (?P<transport>\w+)/(?P<device>[^\s,:/]+)")
_ANY_SHARE = re.compile(r"\d% on ")
#: UCX joins shares by commas and the last one by "and", which a text that was cut does not reach.
_LAST_SHARE = re.compile(r"(?:^| and )\d{1,3}% on \S+$")
#: Characters of a cell (UCP_PROTO_CONFIG_STR_MAX, less the zero at its end).
_PRINTED = 127
_SINGLE = re.compile(r"\b(?P<transport>\w+)/(?P<device>[^\s,:/]+)")
_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True)
class Lanes:
    """One row of a table: what UCX does with messages of `low` to `high` bytes (both included).

    share: fraction per device as printed (whole per cents, rounded up). complete: these are all;
    False where UCX cut its own text.
    """

    low: int
    high: float
    protocol: str
    text: str
    share: dict[str, float]

    @property
    def complete(self) -> bool:
        """Whether UCX printed every lane."""
        if len(self.text) >= _PRINTED:
            return False
        return not _ANY_SHARE.search(self.text) or _LAST_SHARE.search(self.text) is not None


@dataclass(frozen=True)
class Table:
    """One operation towards one peer.

    peer: e.g. `agent inter-node cfg#1`. operation: e.g. `remote memory write by ucp_put*(multi)
    from host memory to host`. is_one_row: both stand in one row, as UCX before 1.22 prints them.
    """

    peer: str
    operation: str
    rows: tuple[Lanes, ...]
    is_one_row: bool = False

    @property
    def is_self(self) -> bool:
        """Whether this is the loop-back endpoint that NIXL makes when a backend is created."""
        return " self cfg#" in f" {self.peer}"

    def row(self, size: int) -> Lanes | None:
        """Return the row for a message of `size` bytes."""
        return next((row for row in self.rows if row.low <= size <= row.high), None)


def parse(log: str) -> list[Table]:
    """Return all tables of a log in the order printed; other lines are passed over."""
    return list(_tables(log))


def payload_lanes(log: str, op: str, size: int) -> Lanes | None:
    """Return how UCX carries a NIXL READ or WRITE of `size` bytes towards another agent, or None.

    NIXL's transfers are the `(multi)` variant from UCX 1.22 on; UCX before that, which prints peer
    and operation in one row, has the plain one only. The last such table is the one in force.
    """
    function = "ucp_get" if op == "READ" else "ucp_put"
    found = None
    for table in parse(log):
        variant = f"{function}* " if table.is_one_row else f"{function}*(multi)"
        if variant in table.operation and not table.is_self:
            found = table.row(size) or found
    return found


def _tables(log: str) -> Iterator[Table]:
    peer, operation, is_one_row = "", "", False
    rows: list[Lanes] = []
    for line in log.splitlines():
        match = _ROW.match(line)
        if match is None:
            continue
        cells = [" ".join(cell.split()) for cell in match["cells"].split("|")]
        is_header = len(cells) == 2 and "cfg#" in cells[0]
        if len(cells) == 1 or is_header:
            if rows:
                yield Table(peer, operation, tuple(rows), is_one_row)
                rows = []
            is_one_row = is_header
            if is_header:
                peer, operation = cells
            elif "cfg#" in cells[0]:
                peer, operation = cells[0], ""
            else:
                operation = cells[0]
        elif len(cells) == 3 and cells[0] != "Range" and operation:
            lanes = _lanes(*cells)
            if lanes is not None:
                rows.append(lanes)
    if rows:
        yield Table(peer, operation, tuple(rows), is_one_row)


def _lanes(sizes: str, protocol: str, config: str) -> Lanes | None:
    match = _RANGE.match(sizes)
    low = _bytes(match["low"]) if match else None
    high = _bytes(match["high"]) if match and match["high"] else low
    if low is None or low == math.inf or high is None:
        return None
    lanes = Lanes(int(low), high, protocol, config, {})
    share = lanes.share
    for found in _SHARE.finditer(config):
        if found.end() == len(config) and not lanes.complete:
            break  # the name may have been cut too
        share[found["device"]] = share.get(found["device"], 0.0) + int(found["percent"]) / 100
    single = None if share or not lanes.complete else _SINGLE.search(config)
    if single:
        share[single["device"]] = 1.0
    return lanes


def _bytes(text: str) -> float | None:
    if text == "inf":
        return math.inf
    match = re.fullmatch(r"(\d{1,18})([BKMGT]?)", text)
    return int(match[1]) * _UNITS[match[2]] if match else None
