# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A soak taken in parts: each side's row is made of its processes in all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError

from soak.growth import growth

Row = dict[str, Any]
#: What parts must have in common.
_SAME = ("bed", "nics", "versions")


def earlier(path: Path, now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts that a result file has; StripeError where its figures are of other things.

    now: the document that the new part would make.
    """
    if not path.exists():
        return []
    before = json.loads(path.read_text("utf-8"))
    for key in _SAME:
        if before.get(key) != now[key]:
            raise StripeError(
                f"--resume {path}: {key} is {before.get(key)!r} there, {now[key]!r} here; "
                "give another --json FILE"
            )
    return list(before["parts"])


def joined(parts: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return one row for each side, in the order in which they came first; a part may lack some."""
    names = dict.fromkeys(row["side"] for part in parts for row in part["rows"])
    return [
        _together([row for part in parts for row in part["rows"] if row["side"] == name])
        for name in names
    ]


def _together(rows: Sequence[Row]) -> Row:
    """Sum what processes did; growth is that of all their samples."""
    by_nic = zip(*(row["sent_bytes"] for row in rows), strict=True)
    return {
        "side": rows[0]["side"],
        "processes": len(rows),
        "cycles": sum(row["cycles"] for row in rows),
        "descriptors": sum(row["descriptors"] for row in rows),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "sent_bytes": list(map(sum, by_nic)),
        "growth": growth([row["samples"] for row in rows]),
    }
