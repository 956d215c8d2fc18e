# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the figures must show; a check that fails makes the command fail."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
#: For --quick, whose transfers are so short that their start counts: more than the two rails that
#: stock NIXL takes can give.
_MORE_THAN_STOCK = 2.2


def gbps(rows: Iterable[Row], **wanted: Any) -> float | None:
    """Return the rate of the one row with these values; None where it was not measured."""
    for row in rows:
        if all(row.get(key) == value for key, value in wanted.items()):
            return float(row["gbps"])
    return None


def check(result: Row) -> list[Row]:
    """Return a row for each goal that the measured steps can answer.

    name, value (a ratio), goal, ok. Nothing is said of steps that were left out.
    """
    rows = [*result.get("scaling", ()), *result.get("fast", ())]
    quick = bool(result.get("quick"))
    least, least_eight = (_MORE_THAN_STOCK, _MORE_THAN_STOCK) if quick else (3.6, 7.4)
    checks = []
    for op in ("READ", "WRITE"):
        same = {"kind": "striped", "memory": "vram", "op": op, "mbit": 1000}
        one, four = gbps(rows, rails=1, **same), gbps(rows, rails=4, **same)
        checks += _ratio(f"GPU memory, {op}, 4 rails of 1 Gbit/s over 1 rail", four, one, least)
    same = {"kind": "striped", "memory": "dram", "op": "WRITE", "mbit": 3000}
    one, eight = gbps(rows, rails=1, **same), gbps(rows, rails=8, **same)
    checks += _ratio("host memory, WRITE, 8 rails of 3 Gbit/s over 1 rail", eight, one, least_eight)
    # One process of each kind says nothing about two hundredths of a second.
    checks += [] if quick else _first_backend(_all_rows(result))
    failed = [row for row in _all_rows(result) if row.get("error") or row.get("verified") is False]
    checks += _lookups(result.get("lookups", {}))
    for error in result.get("errors", ()):
        checks.append({"name": error, "value": 1, "goal": "no error", "ok": False})
    checks.append(
        {"name": "transfers with an error", "value": len(failed), "goal": "0", "ok": not failed}
    )
    return checks


def _lookups(answers: Row) -> list[Row]:
    """Compare plan and plugin with torch, where it sees a GPU, and with each other everywhere."""
    wrong = 0
    for name, asked in answers.items():
        reference = asked.get("torch", {}).get("gpu")
        if name in ("unset", "index 0", "uuid"):
            wanted = ("ordinal 0", "context", "address")
            wrong += any(asked.get(each, {}).get("gpu") != reference for each in wanted)
            wrong += reference is None
        else:
            wrong += "gpu" in asked.get("ordinal 0", {"gpu": None})
        for each, answer in asked.items():
            if each != "torch":
                agree = answer.get("error") == answer.get("plugin")
                wrong += not (answer["plugin"] == "created" if "gpu" in answer else agree)
    name = "look-ups of the GPU that differ from torch's, or plan's from the plugin's"
    return [{"name": name, "value": wrong, "goal": "0", "ok": not wrong}] if answers else []


def _first_backend(rows: Iterable[Row]) -> list[Row]:
    """Compare the time that a process's first backend takes, which starts CUDA and UCX with it."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for row in rows:
        if row["memory"] == "vram":
            found = row.get("create_seconds") or []
            is_stock = "stock" in (row.get("kind"), row.get("mode"))
            times[is_stock] += found if isinstance(found, list) else [found]
    if not times[True] or not times[False]:
        return []
    value = round(statistics.median(times[False]) / statistics.median(times[True]), 3)
    name = "a process's first backend: time to create it, stripe=all over stock"
    return [{"name": name, "value": value, "goal": "<= 1.02", "ok": value <= 1.02}]


def _ratio(name: str, over: float | None, under: float | None, least: float) -> list[Row]:
    if over is None or under is None:
        return []
    value = round(over / under, 3) if under else 0.0
    return [{"name": name, "value": value, "goal": f">= {least:g}", "ok": value >= least}]


def _all_rows(result: Row) -> list[Row]:
    return [row for step in ("scaling", "fast", "refit") for row in result.get(step, ())]
