# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One picture for each benchmark: medians, with lines for quartiles where there are bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nixl_stripe.bench.canvas import (
    Document,
    bars,
    colour,
    figure,
    from_zero,
    groups,
    legend,
    limits,
    picked,
    size_text,
)

#: What was published for 8.04 GB on GB200 with four NICs of 400 Gbit/s: one NIC, then all of them.
PUBLISHED = {
    "one NIC": {"gbps": 316.0, "register_s": 0.151, "total_s": 0.417},
    "four NICs": {"gbps": 622.0, "register_s": 0.331, "total_s": 0.543},
}
_GIGABITS = 8.044936192 * 8
_PARTS = {"alloc_s": "#d5dbe1", "register_s": "#d9822b", "pull_s": "#1f6fb2"}
#: READ and WRITE lie upon each other: the first is wide and pale, the second thin and dark.
_OPS: tuple[dict[str, dict[str, Any]], ...] = (
    {
        "stripe": {"color": "#8fbbe0", "lw": 6, "marker": "o", "ms": 10},
        "stock": {"color": "#f0cfa8", "lw": 5},
    },
    {
        "stripe": {"color": "#14507f", "lw": 1.5, "marker": "s", "ms": 4},
        "stock": {"color": "#b3610d", "lw": 1.2, "ls": "--"},
    },
)


def _rails(document: Document) -> Any:
    """Scaling and the sum of the limits; on the right what each NIC carried with all of them."""
    made, (rates, parts) = figure(2, document, "Rate by number of NICs")
    ops = document["options"]["ops"]
    for index, op in enumerate(ops):
        rows = picked(document["rows"], op=op, mode="stripe")
        median = [row["gbps"]["median"] for row in rows]
        below = [row["gbps"]["median"] - row["gbps"]["q1"] for row in rows]
        above = [row["gbps"]["q3"] - row["gbps"]["median"] for row in rows]
        counts = [row["nics"] for row in rows]
        look = _OPS[index] if len(ops) > 1 else _OPS[-1]
        rates.errorbar(
            counts, median, [below, above], capsize=2, label=f"stripe, {op}", **look["stripe"]
        )
        (stock,) = picked(document["rows"], op=op, mode="stock")
        rates.axhline(stock["gbps"]["median"], label=f"stock, {op}", **look["stock"])
        last = rows[-1]["share"]
        width = 0.8 / len(ops)
        places = [i + groups(len(ops), index, width) for i in range(len(last))]
        heights = [100 * part for part in last.values()]
        shown = look["stripe"]["color"]
        parts.bar(places, heights, width * 0.95, color=shown, label=f"stripe, {op}")
    counts = sorted({row["nics"] for row in document["rows"]})
    if document["machine"].get("mbit"):
        most = [count * document["machine"]["mbit"] * 1e-3 for count in (0, counts[-1])]
        line: dict[str, Any] = {"color": "#c0392b", "ls": "--", "lw": 1, "zorder": 5}
        rates.plot([0, counts[-1]], most, label="sum of the limits", **line)
    rates.set(xlabel="NICs", ylabel="payload, Gbit/s", xticks=counts, xlim=(0, counts[-1] + 0.3))
    names = list(document["rows"][-1]["share"])
    parts.axhline(100 / len(names), color="#333333", ls=":", lw=1, label="even share")
    parts.set_xticks(range(len(names)), names)
    parts.set_ylabel("share of the counted bytes with all NICs, %")
    from_zero((rates, parts))
    legend(made, (rates, parts), 3)
    return made


def _stack(panel: Any, place: float, values: Mapping[str, float], label: bool) -> float:
    base = 0.0
    for part, value in values.items():
        name = part.removesuffix("_s") if label else None
        panel.bar(place, value, 0.7, bottom=base, color=_PARTS[part], label=name)
        base += value
    return base


def _refit(document: Document) -> Any:
    """Cold and warm cycles, stacked by part; on the right the published figures of real NICs."""
    made, (cycles, published) = figure(2, document, "Refit of 290 tensors")
    op = document["options"]["ops"][0]
    rows = [row for row in document["rows"] if row["op"] == op and row["cycle"] <= 2]
    for place, row in enumerate(rows):
        total = _stack(cycles, place, {part: row[part]["median"] for part in _PARTS}, place == 0)
        cycles.text(place, total, f"{total:.2f}", ha="center", va="bottom", fontsize="x-small")
    titles = [f"{row['mode']}, {row['kind']}" for row in rows]
    cycles.set_xticks(range(len(rows)), titles, rotation=35, ha="right", fontsize="x-small")
    cycles.set_ylabel(f"seconds, {op}")
    for place, figures in enumerate(PUBLISHED.values()):
        pull = _GIGABITS / figures["gbps"]
        rest = figures["total_s"] - figures["register_s"] - pull
        cold = {"alloc_s": rest, "register_s": figures["register_s"], "pull_s": pull}
        total = _stack(published, 2 * place, cold, label=False)
        _stack(published, 2 * place + 1, {"pull_s": pull}, label=False)
        published.text(2 * place, total, f"{total:.3f}", ha="center", va="bottom")
        rate = f"{pull:.3f}\n{figures['gbps']:g} Gbit/s"
        published.text(2 * place + 1, pull, rate, ha="center", va="bottom")
    published.set_xticks(range(4), [f"{n}\n{k}" for n in PUBLISHED for k in ("cold", "warm")])
    published.set_title("published, not measured here: GB200, 8.04 GB", fontsize="small")
    published.set_ylabel("seconds")
    from_zero((cycles, published))
    legend(made, (cycles,))
    return made


def _sizes(document: Document) -> Any:
    """Rate by size under the limits; on the right the time as a part of one NIC's."""
    made, (rates, times) = figure(2, document, "One buffer by size")
    op = document["options"]["ops"][0]
    alone = {r["bytes"]: r for r in picked(document["rows"], op=op, mode="one NIC")}
    for mode in dict.fromkeys(row["mode"] for row in document["rows"]):
        rows = picked(document["rows"], op=op, mode=mode)
        at = range(len(rows))
        # One NIC and one rail lie upon each other: a wide pale line under a thin dark one.
        is_base = mode == "one NIC"
        look: dict[str, Any] = {"color": colour(mode), "label": mode, "marker": "o"}
        look |= {"lw": 6, "ms": 9, "alpha": 0.6} if is_base else {"lw": 1.5, "ms": 4}
        rates.plot(at, [row["gbps"]["median"] for row in rows], **look)
        base = [alone[row["bytes"]]["latency_us"]["median"] for row in rows]
        mine = [row["latency_us"]["median"] for row in rows]
        times.plot(at, [a / b for a, b in zip(mine, base, strict=True)], **look)
    limits(rates, document)
    names = [size_text(size) for size in alone]
    for panel in (rates, times):
        panel.set_xticks(range(len(names)), names, rotation=30, fontsize="small")
    rates.set_ylabel(f"payload, Gbit/s, {op}")
    times.set_ylabel("time of one transfer over that of one NIC")
    from_zero((rates, times))
    legend(made, (rates, times))
    return made


def _many(document: Document) -> Any:
    """Shares by NIC for each set of tensors; on the right the rates under the limits."""
    made, (parts, rates) = figure(2, document, "Many small tensors")
    op = document["options"]["ops"][0]
    rows = picked(document["rows"], op=op)
    names = list(dict.fromkeys(row["tensors"] for row in rows))
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    width = 0.8 / len(modes)
    for row in rows:
        index, place = modes.index(row["mode"]), names.index(row["tensors"])
        at = place + groups(len(modes), index, width)
        base = 0.0
        look = {"color": colour(row["mode"], index), "edgecolor": "white", "lw": 0.8}
        for nic, part in enumerate(row["share"].values()):
            shade = 1 - 0.7 * nic / max(1, len(row["share"]) - 1)
            parts.bar(at, 100 * part, width * 0.9, bottom=base, alpha=shade, **look)
            base += 100 * part
        label = row["mode"] if place == 0 else None
        bars(rates, at, row["gbps"], width * 0.9, color=colour(row["mode"], index), label=label)
    limits(rates, document)
    for panel in (parts, rates):
        panel.set_xticks(range(len(names)), names, rotation=20, fontsize="small")
    parts.set_ylabel(f"share by NIC, %, {op} (first NIC darkest)")
    rates.set_ylabel(f"payload, Gbit/s, {op}")
    from_zero((rates,))
    legend(made, (rates,), 5)
    return made


def _peers(document: Document) -> Any:
    """Rates of every engine and setting by set of tensors, an operation each."""
    ops = document["options"]["ops"]
    made, panels = figure(len(ops), document, "The same work by NIXL and by Mooncake")
    for op, panel in zip(ops, panels, strict=True):
        rows = picked(document["rows"], op=op)
        names = list(dict.fromkeys(row["tensors"] for row in rows))
        modes = list(dict.fromkeys(row["mode"] for row in rows))
        width = 0.85 / len(modes)
        for row in rows:
            index, place = modes.index(row["mode"]), names.index(row["tensors"])
            at = place + groups(len(modes), index, width)
            label = row["mode"] if place == 0 else None
            shown = colour(row["mode"], index)
            bars(panel, at, row["gbps"], width * 0.9, color=shown, label=label)
        limits(panel, document)
        panel.set_xticks(range(len(names)), names, fontsize="small")
        panel.set_ylabel(f"payload, Gbit/s, {op}")
    from_zero(panels)
    legend(made, panels, 5)
    return made


def _register(document: Document) -> Any:
    """Registration time by number of NICs."""
    made, (times,) = figure(1, document, "Registration")
    rows = document["rows"]
    series = dict.fromkeys((row["tensors"], row["bytes"], row["coalesced"]) for row in rows)
    for tensors, size, coalesced in series:
        mine = picked(rows, tensors=tensors, bytes=size, coalesced=coalesced)
        plural = "" if tensors == 1 else "s"
        regions = "as one region" if coalesced else "each a region"
        name = f"{tensors} tensor{plural}, {size >> 20} MiB" + (f", {regions}" if plural else "")
        medians = [row["register_ms"]["median"] for row in mine]
        line = "--" if coalesced else "-"
        times.plot([row["nics"] for row in mine], medians, marker="o", ls=line, label=name)
    times.set(xlabel="NICs", ylabel="ms", xticks=sorted({row["nics"] for row in rows}))
    from_zero((times,))
    legend(made, (times,), 2)
    return made


def _latency(document: Document) -> Any:
    """Latency by mode; on the right its ratio to the first mode, burst by burst."""
    made, (latency, ratio) = figure(2, document, "One small transfer")
    rows = document["rows"]
    base = rows[0]["mode"]
    of_base = f"of_{base.replace(' ', '_')}"
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    ops = list(dict.fromkeys(row["op"] for row in rows))
    for row in rows:
        index = modes.index(row["mode"])
        at = ops.index(row["op"]) + groups(len(modes), index, 0.27)
        look = {"color": colour(row["mode"], index)}
        look |= {"label": row["mode"]} if row["op"] == ops[0] else {}
        bars(latency, at, row["latency_us"], 0.25, **look)
        bars(ratio, at, row[of_base], 0.25, **look)
        ratio.text(at, 0.03, f"{row[of_base]['median']:.2f}", ha="center", color="white")
    for panel in (latency, ratio):
        panel.set_xticks(range(len(ops)), ops)
    latency.set_ylabel(f"µs, {size_text(rows[0]['bytes'])}")
    ratio.set_ylabel(f"latency over that of {base}")
    ratio.axhline(1, color="#333333", ls=":", lw=1)
    from_zero((latency, ratio))
    legend(made, (latency,))
    return made


DRAWINGS: dict[str, Callable[[Document], Any]] = {
    "rails": _rails,
    "refit": _refit,
    "sizes": _sizes,
    "latency": _latency,
    "many": _many,
    "peers": _peers,
    "register": _register,
}
