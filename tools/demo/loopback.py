# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What can be shown where network namespaces are forbidden: the rail count, over loopback."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from nixl_stripe.lab.beds.processes import TwoProcesses
from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.lab.rails.rails import rail_environment

from demo.cases import Case

#: The patched plugin's own line, written after UCX has given the value back.
_READ_BACK = re.compile(r"nixl-stripe\].*\bMAX_RMA_RAILS (\d+)")


@dataclass(frozen=True)
class Check:
    """A case over loopback; max_rma_rails is what UCX read back, None without such a report."""

    case: Case
    max_rma_rails: int | None
    outcome: Outcome

    @property
    def lanes(self) -> dict[str, float]:
        """UCX's own lane report."""
        return self.outcome.lanes.share if self.outcome.lanes else {}

    @property
    def problem(self) -> str | None:
        """What contradicts the case's promise, in one line; None where nothing does."""
        if self.outcome.error is not None:
            return f"{self.case.title}: {self.outcome.error}"
        if self.case.rails in (None, self.max_rma_rails):
            return None
        asked = f"{self.case.title}: max_rma_rails={self.case.rails} was asked for"
        found = "nothing" if self.max_rma_rails is None else f"{self.max_rma_rails}"
        return f"{asked}, UCX read back {found}"

    def to_dict(self) -> dict[str, Any]:
        """Return what was seen; rates and counters are null, for loopback has no rails."""
        return {
            "gbps": None,
            "rails_used": None,
            "max_rma_rails": self.max_rma_rails,
            "lanes": self.lanes,
            "backend_params": dict(self.case.params),
        }


def check(case: Case) -> Check:
    """Run one transfer between two processes of this host, over TCP, and read what UCX says."""
    inherited = dict.fromkeys(key for key in os.environ if key.startswith(("UCX_", "NIXL_")))
    with TwoProcesses() as bed:
        outcome = bed.transfer(
            sizes=(16 << 20,),
            nixl=case.site,
            backend_params=dict(case.params),
            environment={**inherited, **rail_environment("dram"), "NIXL_LOG_LEVEL": "INFO"},
            counters=(),
        )
    found = _READ_BACK.search(outcome.initiator.log)
    return Check(case, int(found[1]) if found else None, outcome)
