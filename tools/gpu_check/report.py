# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The results as tables: what the command prints and what stands in the documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from docgen.files import table
from nixl_stripe.lab.load import busy_text

Row = dict[str, Any]


def text(result: Row) -> str:
    """Return all tables of a result."""
    parts = [make(result) for make in PARTS.values()]
    if load := result.get("load"):
        parts.append(busy_text(load.get("before", load["after"]), result["machine"]["cores"]))
    return "\n\n".join(part for part in parts if part)


def _machine(result: Row) -> str:
    about = result["machine"]
    torch = f", torch {about['torch']}" if about["torch"] else ""
    return (
        f"{about['gpu']} ({about['gpu_memory']}, driver {about['driver']}), {about['cores']} cores "
        f"of {about['cpu']}, Linux {about['kernel']}{torch}; {result['versions']['nixl']}"
    )


def _scaling(result: Row) -> str:
    rows = [*result.get("scaling", ()), *result.get("fast", ())]
    if not rows:
        return ""
    pairs: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in rows:
        key = (row["mbit"], row["memory"], row["op"], row["rails"])
        pairs.setdefault(key, {})[row["kind"]] = row
    lines = []
    for (mbit, memory, op, rails), kinds in sorted(pairs.items()):
        stock, striped = kinds["stock"], kinds["striped"]
        ratio = striped["gbps"] / stock["gbps"] if stock["gbps"] else 0.0
        cells = [f"{rails} x {mbit / 1000:g}", memory.upper(), op, rate(stock), rate(striped)]
        lines.append([*cells, f"{ratio:.2f}", f"{striped['gbps'] / (rails * mbit / 1e5):.0f} %"])
    heads = ["rails x Gbit/s", "memory", "", "stock", "stripe=all", "ratio", "of the rails' sum"]
    return table(heads, lines)


def rate(row: Row) -> str:
    """Return median and extremes in Gbit/s."""
    if row["error"]:
        return "error"
    low, high = row["gbps_spread"]
    return f"{row['gbps']:.2f} ({low:.2f} to {high:.2f})"


def _refit(result: Row) -> str:
    rows = result.get("refit", ())
    if not rows:
        return ""
    lines = [
        [
            row["memory"].upper(),
            row["op"],
            {"one": "one rail", "stock": "stock", "striped": "stripe=all"}[row["mode"]],
            f"{row['register_seconds'] * 1e3:.1f}",
            *(f"{seconds:.3f}" for seconds in row["seconds"]),
        ]
        for row in rows
        if not row["error"]
    ]
    return table(["memory", "", "mode", "register, ms", "cold, s", "2nd", "3rd"], lines)


def _create(result: Row) -> str:
    rows = result.get("create", {}).get("rows", ())
    lines = [
        [
            row["case"],
            f"{row['median_ms']:.2f}",
            f"{row['over_stock_ms']:+.2f}",
            f"{row['ratio']:.3f}",
        ]
        for row in rows
    ]
    return table(["creating the backend", "ms", "over stock", "ratio"], lines) if lines else ""


def _register(result: Row) -> str:
    rows = result.get("register", ())
    if not rows:
        return ""
    names = list(dict.fromkeys(row["way"] for row in rows))
    groups: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault((row["memory"], row["regions"]), {})[row["way"]] = row
    lines = [
        [memory.upper(), str(count), *(f"{ways[name]['ms']:.2f}" for name in names)]
        for (memory, count), ways in groups.items()
    ]
    return table(["memory", "regions", *(f"{name}, ms" for name in names)], lines)


def _lookups(result: Row) -> str:
    lines = []
    for visible, answers in result.get("lookups", {}).items():
        if "error" in answers and isinstance(answers["error"], str):
            lines.append([visible, "", answers["error"]])
            continue
        for name, answer in answers.items():
            # What is wrong stands before the first semicolon, what is accepted after it.
            found = answer.get("gpu") or answer.get("error", "none").partition(";")[0]
            lines.append([visible, name, found])
    return table(["CUDA_VISIBLE_DEVICES", "asked for", "answer"], lines) if lines else ""


def _checks(result: Row) -> str:
    lines = [
        [check["name"], f"{check['value']:g}", check["goal"], "yes" if check["ok"] else "NO"]
        for check in result["checks"]
    ]
    return table(["check", "value", "goal", "met"], lines)


#: Every table by name, in the order of the whole.
PARTS: Mapping[str, Callable[[Row], str]] = {
    "machine": _machine,
    "scaling": _scaling,
    "refit": _refit,
    "create": _create,
    "register": _register,
    "lookups": _lookups,
    "checks": _checks,
}
