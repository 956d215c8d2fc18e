# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What sets of NICs carry by the model of a machine's links: `all` beside `best`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nixl_stripe import _core
from nixl_stripe.planning.parts import gbps_text
from nixl_stripe.planning.ranges import natural, short_list
from nixl_stripe.planning.stripe_plan import MachineRef, StripePlan

#: The policies that are compared, in the order in which they are shown.
_COMPARED = ("best", "all")

#: Parameters of a plan that count for every policy.
_KEPT = ("stripe_min_rate_gbps", "stripe_calibration")


@dataclass(frozen=True)
class SetRate:
    """What one policy takes for a plan's memory.

    even_gbps: what the NICs carry when UCX divides every buffer over them, Gbit/s one way; None =
    unknown. ceiling_gbps: the most that they could carry together. left_out: NICs that can be used
    and are not taken, with why. measured: even_gbps was measured, else it is the model's.
    """

    stripe: str
    devices: tuple[str, ...]
    even_gbps: float | None
    ceiling_gbps: float | None
    left_out: Mapping[str, str] = field(default_factory=dict)
    measured: bool = False

    def describe(self) -> str:
        """Return what is taken and what it carries, in one line."""
        names = short_list(self.devices)
        rate = gbps_text(self.even_gbps) + (" (measured)" if self.measured else "")
        return f"{self.stripe} {rate} over {len(self.devices)} NIC(s), {names}"

    def reasons(self) -> list[tuple[str, str]]:
        """Return the NICs that are left out by their reason, many in few words."""
        alike: dict[str, list[str]] = {}
        for nic in natural(self.left_out):
            alike.setdefault(self.left_out[nic], []).append(nic)
        return [(short_list(nics), why) for why, nics in alike.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return the set as JSON data."""
        return {**asdict(self), "devices": list(self.devices), "left_out": dict(self.left_out)}


def compared_sets(plan: StripePlan) -> tuple[SetRate, ...]:
    """Return what `best` and `all` take where the plan was made, best first.

    None where the plan changes nothing, or was read from JSON and so has no machine; a policy that
    would be refused here is not among them.
    """
    if plan.machine is None or not plan.active or not plan.devices:
        return ()
    measured = measured_here(plan)
    found = []
    for stripe in _COMPARED:
        with contextlib.suppress(ValueError):  # it takes more NICs than UCX has lanes
            found.append(_set_of(plan, plan.machine, stripe, measured))
    return tuple(found)


def measured_here(plan: StripePlan) -> _core.Calibration | None:
    """Return the calibration that `best` goes by where the plan was made, whatever it asked for."""
    if plan.machine is None:
        return None
    with contextlib.suppress(ValueError):  # a file that was named and cannot be read
        return _plan_with(plan, plan.machine, "best").measured
    return None


def rate_of(plan: StripePlan) -> float | None:
    """Return what the plan's NICs carry, Gbit/s, by what `compared_sets` goes by, or None."""
    if plan.machine is None or not plan.devices:
        return None
    gpu = _gpu_of(plan, plan.machine)
    return _core.even_gbps(plan.machine.machine, list(plan.devices), gpu, measured_here(plan))


def _plan_with(plan: StripePlan, made_from: MachineRef, stripe: str) -> _core.NativePlan:
    """Return the plan with another policy, and nothing else that names NICs."""
    parameters = {key: plan.parameters[key] for key in _KEPT if key in plan.parameters}
    variables = {f"NIXL_UCX_{key.upper()}" for key in _KEPT}
    environment = {
        key: value
        for key, value in made_from.environment.items()
        if key in variables or not key.startswith(("NIXL_", "UCX_"))
    }
    return _core.make_plan(
        made_from.machine,
        {**parameters, "stripe": stripe},
        environment,
        {},
        lambda _key, _text: _gpu_of(plan, made_from),
    )


def _gpu_of(plan: StripePlan, made_from: MachineRef) -> str | None:
    return plan.gpu if plan.gpu in {each.pci for each in made_from.machine.gpus} else None


def _set_of(
    plan: StripePlan, made_from: MachineRef, stripe: str, measured: _core.Calibration | None
) -> SetRate:
    chosen = _plan_with(plan, made_from, stripe)
    host, gpu, devices = made_from.machine, _gpu_of(plan, made_from), list(chosen.devices)
    left_out = {
        nic: why for nic, why in chosen.excluded.items() if chosen.excluded_by.get(nic) == "policy"
    }
    return SetRate(
        stripe,
        tuple(devices),
        _core.even_gbps(host, devices, gpu, measured),
        _core.ceiling_gbps(host, devices, gpu),
        left_out,
        measured is not None and measured.was_measured(gpu, devices),
    )
