# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a verification found, as data and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nixl_stripe.lab.job import Memory, Op
from nixl_stripe.proof.text import bytes_text
from nixl_stripe.verify.verdict import LANES

Proof = Literal["bytes", "lanes", "none"]


@dataclass(frozen=True)
class Cause:
    """Why NICs idled, as far as can be told, and what fixes it."""

    text: str
    fix: str


@dataclass(frozen=True)
class Figures:
    """What transfers with one set of parameters showed at the initiator.

    lanes: fraction per device that UCX reports for a buffer of this size. lanes_complete: these are
    all; UCX prints the first seven or so. bytes: counted per NIC in the payload's direction over
    all repetitions, headers and other traffic included. share: fraction of these per NIC. gbps:
    payload, Gbit/s, median of the repetitions. verified: every byte of every repetition was
    compared. source: of each NIC whose bytes were counted, name, kind (counted, inferred,
    intended), place and blindness of the source. uncounted: why not, of others. cpu_s_per_gib:
    processor time of each side for a GiB, user, system and total, connecting of the first transfer
    included. post_us_per_descriptor: time of posting a buffer.
    """

    lanes: Mapping[str, float] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    share: Mapping[str, float] = field(default_factory=dict)
    gbps: float = 0.0
    verified: bool = False
    protocol: str = ""
    error: str = ""
    source: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    uncounted: Mapping[str, str] = field(default_factory=dict)
    cpu_s_per_gib: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    post_us_per_descriptor: float | None = None
    lanes_complete: bool = True

    def lane_shares(self, due: Mapping[str, float]) -> dict[str, float]:
        """Return what each NIC carries by UCX's report.

        What UCX did not print is no idle lane: such NICs share, by what is due, what is left of the
        payload. due: fraction of each planned NIC.
        """
        hidden = (
            {} if self.lanes_complete else {n: d for n, d in due.items() if n not in self.lanes}
        )
        rest = max(0.0, 1.0 - sum(self.lanes.values()))
        total = sum(hidden.values())
        return {**self.lanes, **{name: rest * part / total for name, part in hidden.items()}}


@dataclass(frozen=True)
class OpResult:
    """One operation: what was planned, what happened, and why not if not.

    due: fraction that each planned NIC should carry: by rate, or even. proof: `bytes` where NICs
    counted the payload, `lanes` where only UCX's report is to be had (on one host no byte passes a
    NIC's counter). short: planned NICs with less than half of what is due. ceiling_gbps: the most
    that the planned NICs can carry together. forecast: share per NIC that was foreseen.
    nixl_version, ucx_version: of the initiator, None where not known. ucx_settings: of its plan,
    which a stock plugin does not apply.
    expected_nics: with fewer in the plan it is no success, None where nobody said.
    """

    op: Op
    memory: Memory
    size: int
    buffers: int
    repeats: int
    planned: tuple[str, ...]
    due: Mapping[str, float]
    figures: Figures
    proof: Proof
    short: tuple[str, ...]
    causes: tuple[Cause, ...] = ()
    ceiling_gbps: float | None = None
    forecast: Mapping[str, float] | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    stock: Figures | None = None
    nixl_version: str | None = None
    ucx_version: str | None = None
    ucx_settings: Mapping[str, str] = field(default_factory=dict)
    expected_nics: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the payload is right and every planned NIC carried at least half of its share."""
        seen = bool(self.planned) and self.proof != "none" and not self._too_few
        return seen and self.figures.verified and not self.short

    @property
    def _too_few(self) -> bool:
        return len(self.planned) < (self.expected_nics or 0)

    @property
    def judged(self) -> Mapping[str, float]:
        """The shares that were judged: of bytes where NICs counted them, else of UCX's lanes."""
        by_lanes = self.proof == "lanes"
        return self.figures.lane_shares(self.due) if by_lanes else self.figures.share

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data for JSON."""
        return {
            "ok": self.ok,
            "op": self.op,
            "memory": self.memory,
            "size": self.size,
            "buffers": self.buffers,
            "repeats": self.repeats,
            "planned": list(self.planned),
            "due": dict(self.due),
            **asdict(self.figures),
            "proof": self.proof,
            "short": list(self.short),
            "why": "" if self.ok else self._why(),
            "nixl_version": self.nixl_version,
            "ucx_version": self.ucx_version,
            "ucx_settings": dict(self.ucx_settings),
            "causes": [asdict(cause) for cause in self.causes],
            "ceiling_gbps": self.ceiling_gbps,
            "forecast": None if self.forecast is None else dict(self.forecast),
            "excluded": dict(self.excluded),
            "expected_nics": self.expected_nics,
            "stock": None
            if self.stock is None
            else {"planned": list(self.planned), **asdict(self.stock)},
        }

    def describe(self) -> str:
        """Return the result as text for people, several lines."""
        many = f"{self.buffers} x " if self.buffers > 1 else ""
        head = (
            f"{self.op} of {many}{bytes_text(self.size)} {self.memory}, {self.repeats} time(s), "
            f"{len(self.planned)} NIC(s) planned"
        )
        return "\n".join([head, *self._table(), *self._verdict()])

    def _table(self) -> list[str]:
        figures = self.figures
        foreseen = self.forecast
        head = "" if foreseen is None else f" {'forecast':>8}"
        rows = [f"  {'NIC':<12} {'due':>7}{head} {'lanes':>7} {'share':>7} {'bytes':>11}  source"]
        busy = [n for n, part in figures.share.items() if part >= 0.005]
        for name in dict.fromkeys([*self.planned, *figures.lanes, *busy]):
            due = f"{self.due[name]:7.1%}" if name in self.due else f"{'-':>7}"
            lane = f"{figures.lanes.get(name, 0.0):7.0%}"
            if name not in figures.lanes and not figures.lanes_complete:
                lane = f"{'?':>7}"
            share = f"{figures.share.get(name, 0.0):7.1%}"
            mark = "  <- too little" if name in self.short else ""
            if foreseen is not None:
                due += f" {foreseen.get(name, 0.0):8.0%}"
            rows.append(
                f"  {name:<12} {due} {lane} {share} {bytes_text(figures.bytes.get(name, 0)):>11}"
                f"  {_source_text(figures.source.get(name))}{mark}"
            )
        return rows

    def _verdict(self) -> list[str]:
        lines = []
        if self.figures.error:
            lines.append(f"  the transfer failed: {self.figures.error}")
        else:
            of = f" of at most {self.ceiling_gbps:g}" if self.ceiling_gbps else ""
            lines.append(f"  {self.figures.gbps:.3g} Gbit/s{of}{self._against_stock()}")
            lines += self._cost()
        lines += [
            f"  {name} is not planned: {why}" for name, why in self.excluded.items() if name != "lo"
        ]
        if self.proof == "lanes":
            lines.append(f"  {LANES}")
        if not self.figures.lanes_complete:
            others = "; the others are taken to share the rest" if self.proof == "lanes" else ""
            count = len(self.figures.lanes)
            lines.append(f"  UCX printed {count} lanes, its text ends after 127 characters{others}")
        lines += [f"  not counted: {why}" for why in dict.fromkeys(self._uncounted())]
        lines.append("  ok" if self.ok else f"  FAILED: {self._why()}")
        for cause in self.causes:
            lines += [f"  likely cause: {cause.text}", f"  fix: {cause.fix}"]
        return lines

    def _cost(self) -> list[str]:
        """Return what the processors had to do for it, beside the stock's."""
        figures, stock = self.figures, self.stock or Figures()
        if not figures.cpu_s_per_gib or figures.post_us_per_descriptor is None:
            return []
        parts = []
        for side, cpu in figures.cpu_s_per_gib.items():
            other = stock.cpu_s_per_gib.get(side)
            than = f" ({other['total']:.3g})" if other else ""
            parts.append(f"{side} {cpu['total']:.3g}{than}")
        posted = _time_text(figures.post_us_per_descriptor)
        if stock.post_us_per_descriptor is not None:
            posted += f" ({_time_text(stock.post_us_per_descriptor)})"
        beside = "; in brackets without parameters" if self.stock else ""
        return [
            f"  CPU s/GiB: {', '.join(parts)}; posting a descriptor: {posted}{beside}",
        ]

    def _uncounted(self) -> list[str]:
        """Why planned NICs could not be counted."""
        return [why for name, why in self.figures.uncounted.items() if name in self.planned]

    def _why(self) -> str:
        if self.figures.error:
            return f"the transfer failed: {self.figures.error}"
        if not self.figures.verified:
            return "the payload did not arrive whole"
        if self._too_few:
            return f"{len(self.planned)} NIC(s) are planned, {self.expected_nics} are expected"
        if not self.planned:
            return "no NIC is planned, so that nothing was proven"
        if self.proof == "none":
            return "neither NICs nor UCX say which way the payload went"
        return f"less than half of its share on {', '.join(self.short)}"

    def _against_stock(self) -> str:
        stock = self.stock
        if stock is None:
            return ""
        if stock.error or not stock.gbps:
            return f"; without parameters: {stock.error or 'nothing'}"
        used = {n: part for n, part in (stock.lanes or stock.share).items() if part >= 0.005}
        return (
            f"; without parameters {stock.gbps:.3g} on {', '.join(used) or 'no NIC'} "
            f"({self.figures.gbps / stock.gbps:.2f} times that)"
        )


def _time_text(microseconds: float) -> str:
    """Return a time in the unit that suits it."""
    if microseconds < 1000:
        return f"{microseconds:.3g} us"
    return f"{microseconds / 1000:.3g} ms"


def _source_text(source: Mapping[str, str] | None) -> str:
    """Return who says so: what is not counted is never shown as if it were."""
    if not source:
        return "-"
    name, kind = source["name"], source["kind"]
    return name if kind == "counted" else f"{name} ({kind})"


@dataclass(frozen=True)
class Report:
    """All operations of a verification. notes: what a reader must know to judge them."""

    where: str
    results: tuple[OpResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are results and each is good."""
        return bool(self.results) and all(each.ok for each in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {
            "ok": self.ok,
            "where": self.where,
            "results": [each.to_dict() for each in self.results],
            "notes": list(self.notes),
        }

    def describe(self) -> str:
        """Return the report as text for people."""
        parts = [each.describe() for each in self.results]
        parts += [f"note: {each}" for each in self.notes]
        return "\n".join([f"verify {self.where}", *parts])
