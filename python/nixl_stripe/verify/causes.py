# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Why planned NICs idled: the likely causes, the surest first, each with what fixes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nixl_stripe import _core
from nixl_stripe.agents.unpatched import MARKER, patch_command
from nixl_stripe.lab.outcome import Outcome, SideReport
from nixl_stripe.planning.forecast import Forecast
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.planning.traps import Trap, find
from nixl_stripe.proof.text import bytes_text
from nixl_stripe.verify.result import Cause, Figures

#: Smallest piece of a buffer per rail that UCX makes by default, bytes.
_CHUNK = 8 << 10


@dataclass(frozen=True)
class Evidence:
    """What is known of a transfer. planned, short: devices without their ports."""

    outcome: Outcome
    plan: StripePlan | None
    peer_plan: StripePlan | None
    forecast: Forecast | None
    figures: Figures
    planned: tuple[str, ...]
    short: tuple[str, ...]
    proof: str

    @property
    def sides(self) -> tuple[SideReport, SideReport]:
        """Initiator and target."""
        return self.outcome.initiator, self.outcome.target


Rule = Callable[[Evidence], Iterator[Cause]]


def likely_causes(evidence: Evidence) -> tuple[Cause, ...]:
    """Return what the evidence points at; never nothing."""
    found = [cause for rule in _RULES for cause in rule(evidence)]
    if not found:
        seen = evidence.figures.protocol or "UCX reported no lanes"
        found = [Cause(f"unknown; UCX's words: {seen}", "nixl-stripe doctor, on both ends")]
    return tuple(dict.fromkeys(found))


def _stock_plugin(evidence: Evidence) -> Iterator[Cause]:
    fixes: dict[str, list[SideReport]] = {}
    for side in evidence.sides:
        if reason := _core.disabled_by(dict(side.environment)):
            yield Cause(f"the {side.side}: {reason}", "unset NIXL_STRIPE_DISABLE")
            continue
        if side.plugin_params and MARKER not in side.plugin_params and side.nixl_file:
            fix = patch_command(side.nixl_file, side.environment.get("NIXL_PLUGIN_DIR"))
            fixes.setdefault(fix, []).append(side)
    for fix, sides in fixes.items():
        whose = "both ends'" if len(sides) > 1 else f"the {sides[0].side}'s"
        yield Cause(
            f"{whose} UCX plugin (NIXL {sides[0].nixl_version or 'unknown'}) is the stock one, "
            "which ignores our parameters without a word",
            fix,
        )


def _failure(evidence: Evidence) -> Iterator[Cause]:
    if evidence.figures.error and not evidence.outcome.initiator.repetitions:
        yield Cause(
            f"the transfer never ran: {evidence.figures.error}", "nixl-stripe doctor, on both ends"
        )


def _nothing_planned(evidence: Evidence) -> Iterator[Cause]:
    if not evidence.planned and not evidence.figures.error:
        why = "; ".join(evidence.plan.warnings) if evidence.plan else ""
        yield Cause(
            f"no NIC is planned{': ' if why else ''}{why}",
            "--stripe all; nixl-stripe topo says which NICs are usable and why others are not",
        )


def _emulated_read(evidence: Evidence) -> Iterator[Cause]:
    figures = evidence.figures
    if "software emulation" not in figures.protocol or not evidence.short:
        return
    if evidence.outcome.op == "READ" and "tcp/" in figures.protocol:
        yield Cause(
            "UCX carries a READ over TCP by software emulation, on one NIC whatever is set",
            "--op write: over TCP only WRITE stripes; READ needs RDMA NICs",
        )
    else:
        yield Cause(
            f"UCX fell back to {figures.protocol!r}: one NIC, and no zero-copy",
            "nixl-stripe doctor, on both ends: a variable or a missing transport forbids zero-copy",
        )


def _traps(evidence: Evidence) -> Iterator[Cause]:
    """Name variables of the user's own that undo striping, from the table that the plugin has."""
    found: dict[Trap, list[str]] = {}
    for side, plan in _planned_sides(evidence):
        for trap in find(side.environment, plan=plan, gpu=evidence.outcome.memory == "vram"):
            found.setdefault(trap, []).append(f"the {side.side}")
    for trap, sides in found.items():
        where = "both ends" if len(sides) > 1 else sides[0]
        yield Cause(f"at {where}, {trap.key}='{trap.value}': {trap.effect}", trap.fix)


def _own_settings(evidence: Evidence) -> Iterator[Cause]:
    """Name settings of the user's own that the plan respects, but for the traps."""
    for side, plan in _planned_sides(evidence):
        trapped = {trap.key for trap in find(side.environment, plan=plan)}
        for text in plan.kept if plan else ():
            key = text.partition("=")[0].strip()
            if key not in trapped:
                where = "unset " + key if key in side.environment else f"take {key} away"
                yield Cause(f"a setting of your own is respected at the {side.side}: {text}", where)


def _planned_sides(
    evidence: Evidence,
) -> tuple[tuple[SideReport, StripePlan | None], tuple[SideReport, StripePlan | None]]:
    mine, theirs = evidence.sides
    return (mine, evidence.plan), (theirs, evidence.peer_plan)


def _limited_devices(evidence: Evidence) -> Iterator[Cause]:
    """Name NICs that only one end uses, and what else does not fit between the two plans."""
    mine, theirs = evidence.plan, evidence.peer_plan
    if mine is None or theirs is None:
        return
    there = {device.partition(":")[0] for device in theirs.devices}
    for name in evidence.short:
        why = theirs.excluded.get(name)
        if name not in there and why:
            yield Cause(
                f"the target does not use its {name}: {why}",
                "bring it up there, or leave it out on both ends (stripe=^" + name + ")",
            )
    for text in mine.check_peer(theirs):
        yield Cause(f"the two ends do not fit: {text}", "give both ends the same parameters")


def _foreseen(evidence: Evidence) -> Iterator[Cause]:
    """Name UCX's rule that drops a NIC, where the forecast says so too."""
    dropped = {} if evidence.forecast is None else evidence.forecast.dropped
    for name in evidence.short:
        for device, why in dropped.items():
            if name == device.partition(":")[0]:
                yield Cause(f"UCX leaves {name} out: {why}", "nixl-stripe plan --explain")


def _no_addresses(evidence: Evidence) -> Iterator[Cause]:
    """Name NICs that UCX gave a lane and that carried nothing."""
    if evidence.proof != "bytes":
        return
    lanes = evidence.figures.lanes
    dead = [name for name in evidence.short if lanes.get(name, 0.0) > 0]
    if dead:
        yield Cause(
            f"UCX gave {', '.join(dead)} lanes, but the bytes left by other NICs: the kernel "
            "routes them elsewhere, or the link is lost",
            "ip route get <the peer's address on that NIC>; each NIC needs a subnet of its own",
        )


def _small(evidence: Evidence) -> Iterator[Cause]:
    """Tell buffers that UCX does not cut: each starts at its first lane, with a chunk a lane."""
    count = len(evidence.planned)
    settings = evidence.plan.ucx_settings if evidence.plan else {}
    chunk = int(settings.get("MIN_RMA_CHUNK_SIZE", _CHUNK))  # a plan's own value is in bytes
    needed = chunk * count * (count - 1) // 2
    size = max(evidence.outcome.sizes)
    if evidence.short and size < needed:
        enough = math.ceil(needed / 1024)
        yield Cause(
            f"buffers of {bytes_text(size)} are too small for {count} NICs: UCX gives each at "
            f"least {bytes_text(chunk)} and starts every buffer at the first",
            f"--size {enough}K or more; for small buffers UCX_MIN_RMA_CHUNK_SIZE=512",
        )


_RULES: tuple[Rule, ...] = (
    _stock_plugin,
    _failure,
    _nothing_planned,
    _traps,
    _emulated_read,
    _own_settings,
    _limited_devices,
    _foreseen,
    _no_addresses,
    _small,
)
