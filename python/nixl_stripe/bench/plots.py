# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of benchmark results, one file of JSON at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError, UsageError

Document = Mapping[str, Any]

#: What was published for 8.04 GB on GB200 with four NICs of 400 Gbit/s: one NIC, then all of them.
PUBLISHED = {
    "one NIC": {"gbps": 316.0, "register_s": 0.151, "total_s": 0.417},
    "four NICs": {"gbps": 622.0, "register_s": 0.331, "total_s": 0.543},
}
_COLOURS = {
    "auto": "#9aa5b1",
    "one NIC": "#9aa5b1",
    "one rail": "#5c6773",
    "stock": "#d9822b",
    "stripe": "#1f6fb2",
    "stripe, coalesced": "#2a9d6f",
    "stock, UCX_MAX_RMA_RAILS": "#e5ab6d",
    "stock, engine_config": "#f0cfa8",
    "Mooncake": "#6b4c9a",
    "Mooncake, all NICs": "#9779c4",
    "Mooncake, in turn, cut": "#c3b0e0",
    "stripe, overlapped": "#7fc8a9",
}


def draw_file(file: Path, folder: Path) -> list[Path]:
    """Draw one result; return the pictures' paths. UsageError for a file that is none."""
    try:
        document = json.loads(file.read_text("utf-8"))
        draw = DRAWINGS[document["bench"]]
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{file}: not what `nixl-stripe bench ... --save` writes for "
            f"{', '.join(sorted(DRAWINGS))}"
        ) from error
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise StripeError(
            "plots need matplotlib, which is not installed: pip install 'nixl-stripe[plot]'"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file.stem}.png"
    figure = draw(document)
    figure.savefig(path, dpi=110)
    return [path]


def _figure(columns: int, document: Document, title: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * columns, 4.2), layout="constrained")
    machine = document["machine"]
    limit = "" if machine.get("mbit") is None else f" of {machine['mbit']:g} Mbit/s"
    bed = {"tcp": "TCP over veth", "rdma": "RDMA over Soft-RoCE"}.get(
        machine["bed"], machine["bed"]
    )
    figure.suptitle(f"{title}: {bed}, {machine['nics']} NICs{limit}", fontsize="medium")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _bars(axes: Any, place: float, spread: Mapping[str, float], width: float, **look: Any) -> None:
    below, above = spread["median"] - spread["q1"], spread["q3"] - spread["median"]
    axes.bar(place, spread["median"], width, yerr=[[below], [above]], capsize=2, **look)


def _rails(document: Document) -> Any:
    """Scaling with the ideal line; on the right what each NIC carried with all of them."""
    figure, (rates, parts) = _figure(2, document, "Rate by number of NICs")
    ops = document["options"]["ops"]
    for index, op in enumerate(ops):
        rows = [r for r in document["rows"] if r["op"] == op and r["mode"] == "stripe"]
        counts = [r["nics"] for r in rows]
        median = [r["gbps"]["median"] for r in rows]
        spans = [
            [r["gbps"]["median"] - r["gbps"]["q1"] for r in rows],
            [r["gbps"]["q3"] - r["gbps"]["median"] for r in rows],
        ]
        line = ("o-", "s--")[index]
        rates.errorbar(counts, median, spans, fmt=line, capsize=2, label=f"stripe, {op}")
        stock = next(r for r in document["rows"] if r["op"] == op and r["mode"] == "stock")
        rates.axhline(stock["gbps"]["median"], ls=":", color=f"C{index}", label=f"stock, {op}")
        last = rows[-1]["share"]
        width = 0.8 / len(ops)
        places = [i + (index - (len(ops) - 1) / 2) * width for i in range(len(last))]
        parts.bar(places, [100 * v for v in last.values()], width, label=op)
    if document["machine"].get("mbit"):
        most = max(r["nics"] for r in document["rows"])
        rate = document["machine"]["mbit"] * 1e-3
        rates.plot([1, most], [rate, rate * most], color="#999999", lw=1, label="sum of the limits")
    rates.set(xlabel="NICs", ylabel="payload, Gbit/s (median, quartiles)", ylim=(0, None))
    rates.legend(frameon=False, fontsize="small")
    names = list(document["rows"][-1]["share"])
    parts.axhline(100 / len(names), color="#c0392b", ls="--", lw=1, label="even")
    parts.set_xticks(range(len(names)), names)
    parts.set_ylabel("share of the counted bytes, %, all NICs")
    parts.legend(frameon=False, fontsize="small")
    return figure


def _refit(document: Document) -> Any:
    """Cold and warm cycles, stacked by part; on the right the published figures of real NICs."""
    figure, (cycles, published) = _figure(2, document, "Refit of 290 tensors")
    op = document["options"]["ops"][0]
    rows = [r for r in document["rows"] if r["op"] == op and r["cycle"] <= 2]
    for place, row in enumerate(rows):
        base = 0.0
        parts = (("alloc_s", "#d5dbe1"), ("register_s", "#d9822b"), ("pull_s", "#1f6fb2"))
        for part, colour in parts:
            value = row[part]["median"]
            name = part.removesuffix("_s") if place == 0 else None
            cycles.bar(place, value, 0.7, bottom=base, color=colour, label=name)
            base += value
    cycles.set_xticks(
        range(len(rows)),
        [f"{r['mode']}, {r['kind']}" for r in rows],
        rotation=35,
        ha="right",
        fontsize="x-small",
    )
    cycles.set_ylabel(f"seconds, {op}, median")
    cycles.legend(frameon=False, fontsize="small")
    gigabits = 8.044936192 * 8
    for place, figures in enumerate(PUBLISHED.values()):
        pull = gigabits / figures["gbps"]
        rest = figures["total_s"] - figures["register_s"] - pull
        base = 0.0
        for value, colour in (
            (rest, "#d5dbe1"),
            (figures["register_s"], "#d9822b"),
            (pull, "#1f6fb2"),
        ):
            published.bar(2 * place, value, 0.7, bottom=base, color=colour, alpha=0.6)
            base += value
        published.bar(2 * place + 1, pull, 0.7, color="#1f6fb2", alpha=0.6)
        published.text(2 * place + 1, pull, f"{figures['gbps']:g} Gbit/s", ha="center", va="bottom")
        published.text(2 * place, base, f"{base:.3f} s", ha="center", va="bottom")
    published.set_xticks(range(4), [f"{n}\n{k}" for n in PUBLISHED for k in ("cold", "warm")])
    published.set_title("published, not measured here: GB200, 8.04 GB", fontsize="small")
    published.set_ylabel("seconds")
    return figure


def _sizes(document: Document) -> Any:
    """Bandwidth and latency by size."""
    figure, (rates, latency) = _figure(2, document, "One buffer by size")
    op = document["options"]["ops"][0]
    for mode in dict.fromkeys(r["mode"] for r in document["rows"]):
        rows = [r for r in document["rows"] if r["op"] == op and r["mode"] == mode]
        sizes = [r["bytes"] for r in rows]
        look = {"color": _COLOURS.get(mode), "label": mode, "marker": "o", "ms": 3}
        rates.plot(sizes, [r["gbps"]["median"] for r in rows], **look)
        latency.plot(sizes, [r["latency_us"]["median"] for r in rows], **look)
    for axes, name in ((rates, f"Gbit/s, {op}, median"), (latency, "µs, median")):
        axes.set_xscale("log", base=2)
        axes.set(xlabel="bytes", ylabel=name)
        axes.legend(frameon=False, fontsize="small")
    latency.set_yscale("log")
    return figure


def _many(document: Document) -> Any:
    """Shares by NIC for each set of tensors; on the right the rates."""
    figure, (parts, rates) = _figure(2, document, "Many small tensors")
    op = document["options"]["ops"][0]
    rows = [r for r in document["rows"] if r["op"] == op]
    names = list(dict.fromkeys(r["tensors"] for r in rows))
    modes = list(dict.fromkeys(r["mode"] for r in rows))
    width = 0.8 / len(modes)
    for index, mode in enumerate(modes):
        colour = _COLOURS.get(mode, f"C{index}")
        for place, name in enumerate(names):
            row = next(r for r in rows if r["mode"] == mode and r["tensors"] == name)
            at = place + (index - (len(modes) - 1) / 2) * width
            base = 0.0
            for nic, part in enumerate(row["share"].values()):
                shade = 1 - 0.75 * nic / max(1, len(row["share"]) - 1)
                parts.bar(at, 100 * part, width * 0.9, bottom=base, color=colour, alpha=shade, lw=0)
                base += 100 * part
            label = mode if place == 0 else None
            _bars(rates, at, row["gbps"], width * 0.9, color=colour, label=label)
    for axes in (parts, rates):
        axes.set_xticks(range(len(names)), names, rotation=20, fontsize="small")
    parts.set_ylabel("share by NIC, %, one shade a NIC")
    rates.set_ylabel(f"Gbit/s, {op} (median, quartiles)")
    rates.legend(frameon=False, fontsize="small")
    return figure


def _peers(document: Document) -> Any:
    """Rates of every engine and setting by set of tensors, an operation each."""
    ops = document["options"]["ops"]
    figure, panels = _figure(len(ops), document, "The same work by NIXL and by Mooncake")
    for op, axes in zip(ops, panels, strict=True):
        rows = [r for r in document["rows"] if r["op"] == op]
        names = list(dict.fromkeys(r["tensors"] for r in rows))
        modes = list(dict.fromkeys(r["mode"] for r in rows))
        width = 0.85 / len(modes)
        for row in rows:
            index, place = modes.index(row["mode"]), names.index(row["tensors"])
            at = place + (index - (len(modes) - 1) / 2) * width
            label = row["mode"] if place == 0 else None
            colour = _COLOURS.get(row["mode"], f"C{index}")
            _bars(axes, at, row["gbps"], width * 0.9, color=colour, label=label)
        axes.set_xticks(range(len(names)), names, fontsize="small")
        axes.set_ylabel(f"Gbit/s, {op} (median, quartiles)")
    labels = panels[0].get_legend_handles_labels()
    figure.legend(*labels, loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    return figure


def _register(document: Document) -> Any:
    """Registration time by number of NICs."""
    figure, (times,) = _figure(1, document, "Registration")
    rows = document["rows"]
    series = dict.fromkeys((r["tensors"], r["bytes"], r["coalesced"]) for r in rows)
    for tensors, size, coalesced in series:
        mine = [
            r
            for r in rows
            if (r["tensors"], r["bytes"], r["coalesced"]) == (tensors, size, coalesced)
        ]
        name = f"{tensors} tensors, {size / 2**20:.3g} MiB, {mine[0]['regions']} region(s)"
        times.plot(
            [r["nics"] for r in mine],
            [r["register_ms"]["median"] for r in mine],
            marker="o",
            ls="--" if coalesced else "-",
            label=name,
        )
    times.set(xlabel="NICs", ylabel="ms, median", ylim=(0, None))
    times.legend(frameon=False, fontsize="small")
    return figure


def _latency(document: Document) -> Any:
    """Latency by mode; on the right its ratio to one rail, burst by burst."""
    figure, (latency, ratio) = _figure(2, document, "One small transfer")
    rows = document["rows"]
    modes = list(dict.fromkeys(r["mode"] for r in rows))
    ops = list(dict.fromkeys(r["op"] for r in rows))
    for row in rows:
        at = ops.index(row["op"]) + (modes.index(row["mode"]) - 1) * 0.27
        colour = _COLOURS.get(row["mode"], "#d9822b")
        label = row["mode"] if row["op"] == ops[0] else None
        _bars(latency, at, row["latency_us"], 0.25, color=colour, label=label)
        _bars(ratio, at, row["of_one_rail"], 0.25, color=colour, label=label)
    for axes in (latency, ratio):
        axes.set_xticks(range(len(ops)), ops)
    latency.set_ylabel(f"µs, {rows[0]['bytes']} bytes (median, quartiles)")
    ratio.set_ylabel("latency over that of one rail")
    ratio.axhline(1, color="#c0392b", ls="--", lw=1)
    latency.legend(frameon=False, fontsize="small", loc="lower right")
    return figure


DRAWINGS: dict[str, Callable[[Document], Any]] = {
    "rails": _rails,
    "refit": _refit,
    "sizes": _sizes,
    "latency": _latency,
    "many": _many,
    "peers": _peers,
    "register": _register,
}
