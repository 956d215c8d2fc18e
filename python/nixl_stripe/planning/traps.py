# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the user's own that undo striping. The plugin warns of them from the same table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixl_stripe import _core

if TYPE_CHECKING:
    from nixl_stripe.planning.stripe_plan import StripePlan

#: Where no plan says how many NICs there are: more than any single-NIC setting allows.
_ASSUMED_NICS = 4


@dataclass(frozen=True)
class Trap:
    """One setting that undoes striping."""

    key: str
    """As the user wrote it: "UCX_RNDV_THRESH", or "RNDV_THRESH in engine_config"."""
    value: str
    effect: str
    """What is lost."""
    fix: str
    """What to do, one line."""

    def __str__(self) -> str:
        return f"{self.key}='{self.value}': {self.effect}; {self.fix}"


def find(
    environ: Mapping[str, str] | None = None,
    *,
    engine_config: Mapping[str, str] | None = None,
    plan: StripePlan | None = None,
    gpu: bool = False,
    machine: _core.Machine | None = None,
) -> tuple[Trap, ...]:
    """Return the settings in an environment and in NIXL's `engine_config` that undo striping.

    environ: None is this process's own. engine_config: without UCX_. plan: whose NICs and own
    settings count; None looks for what hurts `stripe=all` on four NICs, RDMA or TCP. gpu: whether
    GPU memory is moved, so that what undoes only its striping is named too. machine: whose NICs
    the plan's are, so that what UCX_TLS and UCX_NET_DEVICES must admit is known; None takes the
    plan's own, or any NICs that UCX knows.
    """
    variables = dict(os.environ if environ is None else environ)
    if machine is None and plan is not None and plan.machine is not None:
        machine = plan.machine.machine
    facts = _facts(plan, machine)
    facts.has_gpu = gpu
    found = _core.find_traps(variables, dict(engine_config or {}), facts)
    return tuple(Trap(each.key, each.value, each.effect, each.fix) for each in found)


def keys() -> tuple[str, ...]:
    """Return the settings that the table knows, without UCX_."""
    return tuple(rule.key for rule in _core.trap_table())


def nics_meant(plan: StripePlan) -> int:
    """Return how many NICs a transfer of the plan should use."""
    return len(plan.devices) or plan.rails or 0


def _facts(plan: StripePlan | None, machine: _core.Machine | None) -> _core.TrapFacts:
    if plan is None:
        facts = _core.TrapFacts()
        facts.nic_count = _ASSUMED_NICS
        facts.uses_tcp = facts.uses_rdma = facts.chooses_devices = True
        return facts
    if machine is not None:
        facts = _core.TrapFacts.of(machine, list(plan.devices))
    else:  # a peer's plan says no more
        facts = _core.TrapFacts()
        facts.uses_tcp = any(":" not in device for device in plan.devices)
        facts.uses_rdma = not facts.uses_tcp
        rates = [nic.rate_gbps for nic in plan.nics if nic.rate_gbps > 0]
        facts.rate_ratio = max(rates) / min(rates) if rates else 1.0
    facts.nic_count = nics_meant(plan)
    facts.chooses_devices = bool(plan.devices)
    facts.chooses_rails = "MAX_RMA_RAILS" in plan.ucx_settings
    return facts
