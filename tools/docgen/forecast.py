# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The measured grid of the forecast."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from docgen.files import result, table


def grid() -> str:
    """Return a row for each case: what the NICs counted in READ and WRITE."""
    found = result("forecast")
    wrong = {miss["case"] for miss in found["summary"]["disagreements"]}
    rows = []
    for row in found["rows"]:
        read, write = (_shares(row["ops"][op]) for op in ("read", "write"))
        marks = ["wrong" if f"{row['title']}, {op}" in wrong else "right" for op in row["ops"]]
        mark = marks[0] if marks[0] == marks[1] else f"READ {marks[0]}, WRITE {marks[1]}"
        rows.append([_title(row["title"]), read, write, mark])
    heads = ["machine, GPU, settings", "READ, % of each NIC", "WRITE", "forecast"]
    return table(heads, rows)


def summary() -> str:
    """Return how often the forecast was right, and each case in which it was not."""
    found = result("forecast")["summary"]
    lines = textwrap.wrap(
        f"The forecast named exactly the NICs that carried data in {found['agree']} of "
        f"{found['cases']} cases; where it did, no share was off by more than "
        f"{100 * found['largest_share_error']:.1f} percentage points.",
        100,
    )
    for miss in found["disagreements"]:
        text = f"- {miss['case']}: counted {_listed(miss['measured'])}, forecast "
        lines += textwrap.wrap(f"{text}{_listed(miss['forecast'])}.", 100, subsequent_indent="  ")
    return "\n".join(lines)


def _shares(seen: Mapping[str, Any]) -> str:
    text = "/".join(f"{100 * share:.0f}" for share in seen["share"].values())
    return f"{text} (software emulation)" if "emulation" in (seen["protocol"] or "") else text


def _listed(shares: Mapping[str, float]) -> str:
    return " ".join(f"{nic} {100 * share:.0f} %" for nic, share in shares.items())


def _title(title: str) -> str:
    return title.replace("engine_config=", "").replace("|", "\\|")
