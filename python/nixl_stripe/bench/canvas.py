# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What all pictures share: title, limits of the bed, bars with quartiles, a legend outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nixl_stripe.bench.provenance import is_busy

Document = Mapping[str, Any]

_BEDS = {"tcp": "TCP over veth", "rdma": "RDMA over Soft-RoCE"}
_COLOURS = {
    "auto": "#9aa5b1",
    "one NIC": "#9aa5b1",
    "one rail": "#3f4a55",
    "two rails": "#d9822b",
    "stock": "#d9822b",
    "stripe": "#1f6fb2",
    "stripe, coalesced": "#2a9d6f",
    "stripe, overlapped": "#7fc8a9",
    "stock, UCX_MAX_RMA_RAILS": "#e5ab6d",
    "stock, engine_config": "#f0cfa8",
    "Mooncake": "#6b4c9a",
    "Mooncake, all NICs": "#9779c4",
    "Mooncake, in turn, cut": "#c3b0e0",
}
_LIMIT = "#c0392b"


def colour(mode: str, index: int = 0) -> str:
    """Return the colour of a mode, the same in every picture."""
    return _COLOURS.get(mode, f"C{index}")


def figure(columns: int, document: Document, title: str) -> tuple[Any, Any]:
    """Return an empty figure and its panels; the title says what it was measured on."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(5.4 * columns, 4.8), layout="constrained")
    machine = document["machine"]
    limit = "" if machine.get("mbit") is None else f" of {machine['mbit']:g} Mbit/s"
    bed = _BEDS.get(machine["bed"], machine["bed"])
    text = f"{title}: {bed}, {machine['nics']} NICs{limit}"
    note = load_note(document)
    made.suptitle(f"{text}\n{note}" if note else text, fontsize="medium")
    panels = made.subplots(1, columns, squeeze=False)[0]
    for each in panels:
        each.spines[["top", "right"]].set_visible(False)
    return made, panels


def load_note(document: Document) -> str:
    """Return a note where the machine was busy, else nothing."""
    if not is_busy(document):
        return ""
    load, machine = document["load"], document["machine"]
    known = load.get("before")
    value, when = (load["after"], "at the end") if known is None else (known, "at the start")
    return f"busy machine: {machine['cores']} cores, load {value:.1f} {when}"


def legend(made: Any, panels: Iterable[Any], columns: int = 4) -> None:
    """Put one legend for all panels below them; what two panels share stands there once."""
    found: dict[str, Any] = {}
    for each in panels:
        for handle, label in zip(*each.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    made.legend(
        found.values(),
        found.keys(),
        loc="outside lower center",
        ncols=min(columns, len(found)),
        frameon=False,
        fontsize="small",
    )


def bars(panel: Any, place: float, spread: Mapping[str, float], width: float, **look: Any) -> None:
    """Draw a median with its quartiles."""
    below, above = spread["median"] - spread["q1"], spread["q3"] - spread["median"]
    panel.bar(place, spread["median"], width, yerr=[[below], [above]], capsize=2, **look)


def limits(panel: Any, document: Document) -> None:
    """Draw what one NIC and what all of them can carry, where the bed has a limit."""
    machine = document["machine"]
    if not machine.get("mbit"):
        return
    one = machine["mbit"] * 1e-3
    panel.axhline(one, color=_LIMIT, ls=":", lw=1, label="limit of one NIC")
    panel.axhline(one * machine["nics"], color=_LIMIT, ls="--", lw=1, label="limit of all NICs")


def from_zero(panels: Iterable[Any]) -> None:
    """Let every value axis begin at 0, with room above."""
    for each in panels:
        each.set_ylim(0, each.get_ylim()[1] * 1.04)


def groups(count: int, index: int, width: float) -> float:
    """Return how far from its group's middle the bar `index` of `count` stands."""
    return (index - (count - 1) / 2) * width


def size_text(size: int) -> str:
    """Return 4 KiB, 1 MiB, ...; bytes where it is no whole number of them."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def picked(rows: Sequence[Document], **where: Any) -> list[Document]:
    """Return the rows in which every given column has the given value."""
    return [row for row in rows if all(row[key] == value for key, value in where.items())]
