# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which NICs a host's plan means, whatever their links are just now.

A plan leaves out a NIC without a link, so that a lost NIC would be none of the plan's as soon as
the plan is made anew. The NICs that are meant are the plan's, those that were the plan's and have
no link now, and those without a link at the start that are like the plan's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nixl_stripe import _core
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof.striped import base

#: Of `_core.usable_rules()`: no port is ACTIVE.
_NO_LINK = "state"


def meant_nics(plan: StripePlan, before: Iterable[str] = ()) -> frozenset[str]:
    """Return the devices that the plan means. before: what it meant when it was made last.

    A NIC that has no link is like the plan's when it is of the same PCI device and link layer, or
    when no NIC is left to compare with. Where a policy takes only some of the usable NICs, it
    cannot be told which others it would take.
    """
    planned = {base(name) for name in plan.devices}
    machine = plan.machine.machine if plan.machine else None
    nics: Mapping[str, _core.RdmaNic] = {nic.name: nic for nic in machine.nics} if machine else {}
    down = {name for name, rule in plan.excluded_by.items() if rule == _NO_LINK and name in nics}
    kept = {name for name in before if name in down or name not in plan.excluded_by}
    if machine is None or "policy" in plan.excluded_by.values():
        return frozenset(planned | kept)
    models = {_model(machine, nics[name]) for name in planned if name in nics}
    alike = {name for name in down if not planned or _model(machine, nics[name]) in models}
    return frozenset(planned | kept | alike)


def _model(machine: _core.Machine, nic: _core.RdmaNic) -> tuple[object, ...]:
    node = machine.pci.get(nic.pci)
    device = (node.vendor, node.device) if node else (nic.driver,)
    return (*device, *sorted({str(port.link_layer) for port in nic.ports}))
