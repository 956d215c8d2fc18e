# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the ranks of a host, one for each GPU, load on each NIC when all of them transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nixl_stripe.planning.stripe_plan import StripePlan

#: Below this part of the busiest NIC's load a NIC counts as idle.
_IDLE = 0.05


@dataclass(frozen=True)
class Together:
    """The load of one rank for each GPU; 1.0 on a NIC is all that one rank moves.

    loads: by NIC, with 0 for those that UCX opens and no rank uses.
    """

    ranks: int
    loads: Mapping[str, float] = field(default_factory=dict)

    @property
    def idle(self) -> tuple[str, ...]:
        """NICs that next to nothing is moved by."""
        busiest = max(self.loads.values(), default=0.0)
        return tuple(name for name, load in self.loads.items() if load <= _IDLE * busiest)

    @property
    def unevenness(self) -> float:
        """Load of the busiest NIC over that of an even split over all of them; 1 = even."""
        total = sum(self.loads.values())
        return max(self.loads.values()) * len(self.loads) / total if total else 0.0

    def describe(self) -> str:
        """Return the loads in one line."""
        rows = ", ".join(f"{name} {load:.2f}" for name, load in self.loads.items())
        idle = f"; {len(self.idle)} of {len(self.loads)} idle" if self.idle else ""
        return f"{rows} (busiest {self.unevenness:.2f} of an even split{idle})"


def together(
    plans: Sequence[StripePlan], nics: Sequence[str] = (), sees_all_gpus: bool = True
) -> Together:
    """Return what ranks with these plans, one for each GPU, load on each NIC with GPU memory.

    nics: NICs that are to be in the result even where no rank uses them. Each rank is taken to
    write to a host like its own. Plans without a GPU or a device that UCX could open count nothing.
    sees_all_gpus: as for `StripePlan.forecast`.
    """
    ranks = [plan for plan in plans if plan.gpu is not None and plan.ports]
    loads = dict.fromkeys(nics, 0.0)
    for plan in ranks:
        for nic, share in plan.forecast("vram", "write", sees_all_gpus=sees_all_gpus).lanes.items():
            loads[nic] = loads.get(nic, 0.0) + share
    return Together(len(ranks), loads)
