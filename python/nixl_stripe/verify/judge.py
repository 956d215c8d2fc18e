# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""From a transfer's outcome to a verdict: pure, no effects."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nixl_stripe.lab.outcome import Outcome, SideReport
from nixl_stripe.planning.forecast import NIXL_VERSION, Forecast
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.striped import due_shares
from nixl_stripe.verify.causes import Evidence, likely_causes
from nixl_stripe.verify.request import Request
from nixl_stripe.verify.result import Figures, OpResult, Proof

#: A planned NIC fails below this fraction of what is due.
SHORT_OF = 0.5

#: NICs that counted at least this fraction of the payload have counted the payload.
_COUNTED = 0.8


def figures_of(outcome: Outcome) -> Figures:
    """Return what a case showed."""
    lanes = outcome.lanes
    return Figures(
        lanes=dict(lanes.share) if lanes else {},
        lanes_complete=lanes.complete if lanes else True,
        bytes=outcome.bytes,
        share=outcome.share,
        gbps=outcome.gbps,
        verified=outcome.ok,
        protocol=f"{lanes.protocol}: {lanes.text}" if lanes else "",
        error=str(outcome.error) if outcome.error else "",
        source=dict(outcome.initiator.sources),
        uncounted=dict(outcome.initiator.uncounted),
        cpu_s_per_gib=outcome.cpu_s_per_gib,
        post_us_per_descriptor=outcome.post_us_per_descriptor,
    )


def plan_of(side: SideReport) -> StripePlan | None:
    """Return the plan that a side made on its machine."""
    return None if side.plan is None else StripePlan.from_dict(side.plan)


def judge(request: Request, outcome: Outcome, stock: Outcome | None = None) -> OpResult:
    """Compare what a transfer showed with what was planned."""
    figures = figures_of(outcome)
    plan, peer_plan = plan_of(outcome.initiator), plan_of(outcome.target)
    due = due_shares(plan)
    proof = _proof(outcome, figures, due)
    short = short_of(due, figures.lane_shares(due) if proof == "lanes" else figures.share)
    if not figures.verified:
        short = ()
    forecast = forecast_of(plan, peer_plan, outcome)
    evidence = Evidence(outcome, plan, peer_plan, forecast, figures, tuple(due), short, proof)
    result = OpResult(
        op=outcome.op,
        memory=outcome.memory,
        size=request.size,
        buffers=request.buffers,
        repeats=request.repeats,
        planned=tuple(due),
        due=due,
        figures=figures,
        proof=proof,
        short=short,
        ceiling_gbps=None if plan is None else plan.ceiling_gbps,
        forecast=None if forecast is None else forecast.lanes,
        excluded={} if plan is None else dict(plan.excluded),
        stock=None if stock is None else figures_of(stock),
        nixl_version=outcome.initiator.nixl_version,
        ucx_version=outcome.initiator.ucx_version,
        ucx_settings={} if plan is None else dict(plan.ucx_settings),
        expected_nics=request.expected_nics,
    )
    return result if result.ok else dataclasses.replace(result, causes=likely_causes(evidence))


def forecast_of(
    plan: StripePlan | None, peer: StripePlan | None, outcome: Outcome
) -> Forecast | None:
    """Return what was to be expected of two patched ends with these plans.

    None where a plan is missing, inactive or knows no device that UCX could open, or has no GPU
    although GPU memory is moved.
    """
    plans = (plan, peer)
    if plan is None or any(each is None or not (each.active and each.ports) for each in plans):
        return None
    if outcome.memory == "vram" and any(each is None or each.gpu is None for each in plans):
        return None
    return plan.forecast(
        outcome.memory,
        "read" if outcome.op == "READ" else "write",
        peer,
        context=outcome.memory == "vram",
        nixl=outcome.initiator.nixl_version or NIXL_VERSION,
        size=max(outcome.sizes),
    )


def short_of(due: Mapping[str, float], share: Mapping[str, float]) -> tuple[str, ...]:
    """Return the NICs with less than half of what is due."""
    return tuple(name for name, part in due.items() if share.get(name, 0.0) < SHORT_OF * part)


def _proof(outcome: Outcome, figures: Figures, due: Mapping[str, float]) -> Proof:
    """Return what can be judged: bytes only where the planned NICs can be and were counted."""
    payload = outcome.payload_bytes * outcome.repeats
    if set(due) <= set(figures.bytes) and sum(figures.bytes.values()) >= _COUNTED * payload:
        return "bytes"
    return "lanes" if figures.lanes else "none"
