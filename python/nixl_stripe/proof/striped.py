# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""An assertion for tests: the traffic really was spread over the NICs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.sources import NicTraffic
from nixl_stripe.proof.text import bytes_text
from nixl_stripe.proof.traffic import Counters

Direction = Literal["both", "out", "in"]

Traffic = Counters | Mapping[str, NicTraffic]


def assert_striped(
    traffic: Traffic,
    nics: Iterable[str] | Mapping[str, float] | StripePlan | None = None,
    *,
    tolerance: float = 0.1,
    direction: Direction = "both",
    min_bytes: int = 1 << 20,
) -> None:
    """Raise AssertionError, with a line for each NIC, unless all NICs carried their share.

    traffic: what `nixl_stripe.counters()` gave, or its `by_nic()`. nics: which must have carried
    data, in even shares; with a mapping, in these proportions; with a plan, its devices in
    proportion to their rates. None: every NIC that was watched and had a link at the start.
    tolerance: how far a share may be off, as a fraction of what it should be: 0.1 takes 22.5 to
    27.5 % for a quarter. direction: which bytes count. min_bytes: less than that on all NICs
    together is no transfer. ValueError: a NIC that was not watched, or a number out of range.
    """
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance={tolerance}: accepted are 0 up to, but not with, 1")
    rows = dict(traffic.by_nic() if isinstance(traffic, Counters) else traffic)
    wanted = _wanted(traffic, rows, nics)
    _require_one_kind([rows[name] for name in wanted])
    carried = {name: _bytes(rows[name], direction) for name in wanted}
    total = sum(carried.values())
    if total < min_bytes:
        raise AssertionError(
            f"the NICs {', '.join(wanted)} carried {bytes_text(total)} together, less than "
            f"{bytes_text(min_bytes)}: the transfer took another way (two processes of one host "
            "use shared memory), or counting began too late"
        )
    whole = sum(wanted.values())
    lines, bad = [], 0
    for name, weight in wanted.items():
        want, got = weight / whole, carried[name] / total
        verdict = rows[name].problem or _verdict(want, got, tolerance)
        bad += bool(verdict)
        lines.append(_line(rows[name], carried[name], got, want, verdict))
    if bad:
        lines += [
            _line(row, _bytes(row, direction), None, None, "not one of these")
            for name, row in rows.items()
            if name not in wanted and _bytes(row, direction) > total / 100
        ]
        raise AssertionError(
            f"{len(wanted)} NIC(s) should share the traffic (within {tolerance:.0%}); {bad} do "
            f"not, of {bytes_text(total)}:\n" + "\n".join(lines)
        )


def _wanted(
    traffic: Traffic,
    rows: Mapping[str, NicTraffic],
    nics: Iterable[str] | Mapping[str, float] | StripePlan | None,
) -> dict[str, float]:
    """Return the weight of each NIC, by the names that were watched."""
    if nics is None:
        names = traffic.up if isinstance(traffic, Counters) else tuple(rows)
        weights: dict[str, float] = dict.fromkeys(names, 1.0)
    elif isinstance(nics, Mapping):
        weights = {str(name): float(weight) for name, weight in nics.items()}
    elif isinstance(nics, StripePlan):
        weights = plan_weights(nics)
    else:
        weights = dict.fromkeys(nics, 1.0)
    if not weights:
        why = "; ".join(traffic.uncounted.values()) if isinstance(traffic, Counters) else ""
        raise ValueError(f"nics: there is none to look at{': ' if why else ''}{why}")
    if min(weights.values()) <= 0:
        raise ValueError(f"nics={weights}: proportions must be above 0")
    return {_watched(name, rows): weight for name, weight in weights.items()}


def _require_one_kind(rows: list[NicTraffic]) -> None:
    if len({row.kind for row in rows}) > 1:
        each = ", ".join(f"{row.nic} {row.kind} ({row.source})" for row in rows)
        raise AssertionError(f"figures of different kinds are not to be compared: {each}")


def plan_weights(plan: StripePlan) -> dict[str, float]:
    """Return a plan's devices with their rates in Gbit/s; with 1.0 each unless all are known."""
    rates = {nic.device: nic.rate_gbps for nic in plan.nics}
    if set(plan.devices) <= set(rates) and all(rates[name] > 0 for name in plan.devices):
        return {name: rates[name] for name in plan.devices}
    return dict.fromkeys(plan.devices, 1.0)


def base(device: str) -> str:
    """Return `mlx5_0` of `mlx5_0:1`: UCX's lanes and the counters are by device."""
    return device.partition(":")[0]


def due_shares(plan: StripePlan | None) -> dict[str, float]:
    """Return the fraction that each planned device should carry: by its rate, or even."""
    if plan is None:
        return {}
    weights: dict[str, float] = {}
    for device, weight in plan_weights(plan).items():
        weights[base(device)] = weights.get(base(device), 0.0) + weight
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}


def _watched(name: str, rows: Mapping[str, NicTraffic]) -> str:
    """Return the name under which a NIC was watched: `mlx5_0:1` may be watched as `mlx5_0`."""
    for each in (name, name.partition(":")[0], f"{name}:1"):
        if each in rows:
            return each
    raise ValueError(f"nics: {name!r} was not watched; watched: {', '.join(rows) or 'none'}")


def _bytes(row: NicTraffic, direction: Direction) -> int:
    return {"both": row.bytes, "out": row.bytes_out, "in": row.bytes_in}[direction]


def _verdict(want: float, got: float, tolerance: float) -> str:
    if abs(got - want) <= want * tolerance + 1e-12:
        return ""
    if got < want / 100:
        return "idle"
    return "too little" if got < want else "too much"


def _line(
    row: NicTraffic, carried: int, got: float | None, want: float | None, verdict: str
) -> str:
    share = "      -" if got is None else f"{got:7.1%}"
    due = "" if want is None else f" of {want:.1%} due"
    mark = f"  <- {verdict}" if verdict else ""
    source = f"  {row.source} ({row.kind})" if row.source else ""
    return f"  {row.nic:<12} {share}{due:<14} {bytes_text(carried):>10}{source}{mark}"
