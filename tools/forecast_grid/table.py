# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The measured grid as Markdown, and a document kept true to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MARK = "<!-- {edge}: docs/results/forecast.json {part} -->"


def grid_table(results: Mapping[str, Any]) -> str:
    """Return a row for each case: what the NICs counted in READ and WRITE."""
    lines = [
        "| machine, GPU, settings | READ, % of each NIC | WRITE | forecast |",
        "|---|---|---|---|",
    ]
    wrong = {miss["case"] for miss in results["summary"]["disagreements"]}
    for row in results["rows"]:
        read, write = (_shares(row["ops"][op]) for op in ("read", "write"))
        marks = ["wrong" if f"{row['title']}, {op}" in wrong else "right" for op in row["ops"]]
        mark = marks[0] if marks[0] == marks[1] else f"READ {marks[0]}, WRITE {marks[1]}"
        lines.append(f"| {_title(row['title'])} | {read} | {write} | {mark} |")
    return "\n".join(lines)


def summary_text(results: Mapping[str, Any]) -> str:
    """Return how often the forecast was right, and each case in which it was not."""
    found = results["summary"]
    lines = [
        f"The forecast named exactly the NICs that carried data in {found['agree']} of "
        f"{found['cases']} cases; where it did, no share was off by more than "
        f"{100 * found['largest_share_error']:.1f} percentage points."
    ]
    lines += [
        f"- {miss['case']}: counted {_listed(miss['measured'])}, forecast "
        f"{_listed(miss['forecast'])}."
        for miss in found["disagreements"]
    ]
    return "\n".join(lines)


def with_grid(document: str, results: Mapping[str, Any]) -> str:
    """Return `document` with what stands between its marks replaced.

    ValueError where the marks are missing.
    """
    for part, text in (("table", grid_table(results)), ("summary", summary_text(results))):
        begin, end = (_MARK.format(edge=edge, part=part) for edge in ("begin", "end"))
        before, found, rest = document.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the document lacks the marks {begin} and {end}")
        document = f"{before}{begin}\n{text}\n{end}{after}"
    return document


def _shares(seen: Mapping[str, Any]) -> str:
    text = "/".join(f"{100 * share:.0f}" for share in seen["share"].values())
    return f"{text} (software emulation)" if "emulation" in (seen["protocol"] or "") else text


def _listed(shares: Mapping[str, float]) -> str:
    return " ".join(f"{nic} {100 * share:.0f} %" for nic, share in shares.items())


def _title(title: str) -> str:
    return title.replace("engine_config=", "").replace("|", "\\|")
