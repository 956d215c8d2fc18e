# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of what was thrown at the readers, and of what grows while agents come and go."""

from __future__ import annotations

from docgen.files import result, table


def fuzz() -> str:
    """Return one row for each reader: how many inputs it was given, and what was found."""
    rows = [
        [
            row["reader"].replace("_", " "),
            row["part"],
            f"{row['tries']:,}",
            "**a fault**" if row["finding"] else "none",
            found["date"][:10],
        ]
        for found in map(
            result, ("fuzz-plugin", "fuzz-plugin-again", "fuzz-python", "fuzz-python-again")
        )
        for row in found["rows"]
    ]
    return table(["reader", "part", "inputs", "faults", "date"], rows)


def soak(bed: str) -> str:
    """Return one row for each side of a soak: what it did, and what a cycle left behind."""
    rows = []
    for row in result(f"soak-{bed}")["rows"]:
        growth = row["growth"]
        cells = [row["side"], str(row["cycles"]), f"{row['descriptors']:,}"]
        cells += [f"{growth['rss_kib']:.1f}", f"{growth['fds']:.2f}", f"{growth['threads']:.2f}"]
        rows.append(cells)
    heads = ["", "cycles", "descriptors", "KiB a cycle", "file descriptors", "threads"]
    return table(heads, rows)
