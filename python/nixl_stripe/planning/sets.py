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
from nixl_stripe.planning.stripe_plan import StripePlan

#: The policies that are compared, in the order in which they are shown.
_COMPARED = ("best", "all")


@dataclass(frozen=True)
class SetRate:
    """What one policy takes for a plan's memory.

    even_gbps: what the NICs carry when UCX divides every buffer over them, Gbit/s one way; None =
    unknown. ceiling_gbps: the most that they could carry together. left_out: NICs that can be used
    and are not taken, with why.
    """

    stripe: str
    devices: tuple[str, ...]
    even_gbps: float | None
    ceiling_gbps: float | None
    left_out: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        """Return what is taken and what it carries, in one line."""
        names = short_list(self.devices)
        return f"{self.stripe} {gbps_text(self.even_gbps)} over {len(self.devices)} NIC(s), {names}"

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
    host = plan.machine.machine
    gpu = plan.gpu if plan.gpu in {each.pci for each in host.gpus} else None
    least = plan.parameters.get("stripe_min_rate_gbps")
    rate = None if least is None else float(least)
    found = []
    for stripe in _COMPARED:
        with contextlib.suppress(ValueError):  # it takes more NICs than UCX has lanes
            found.append(_set_of(host, stripe, gpu, rate))
    return tuple(found)


def _set_of(host: _core.Machine, stripe: str, gpu: str | None, least: float | None) -> SetRate:
    chosen = _core.select_nics(host, stripe, gpu, least)
    devices = list(chosen.devices)
    left_out = {
        nic: why for nic, why in chosen.excluded.items() if chosen.excluded_by.get(nic) == "policy"
    }
    return SetRate(
        stripe,
        tuple(devices),
        _core.even_gbps(host, devices, gpu),
        _core.ceiling_gbps(host, devices, gpu),
        left_out,
    )
