# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What can be shown where network namespaces are forbidden: the rail count, over loopback."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nixl_stripe.lab.job import Job, Nixl
from nixl_stripe.lab.outcome import Outcome, SideReport
from nixl_stripe.lab.rails.rails import clean_environment, rail_environment

from demo.cases import Case

_LIMIT_S = 60.0
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
    mine = Job(
        role="initiator",
        op="WRITE",
        sizes=(16 << 20,),
        nixl=Nixl.find(case.site),
        backend_params=dict(case.params),
    )
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-demo-") as scratch:
        folder = Path(scratch)
        (folder / "channel").mkdir()
        initiator, target = _run(folder, [mine, replace(mine, role="target")])
    outcome = Outcome.of(mine, initiator, target)
    found = _READ_BACK.search(outcome.initiator.log)
    return Check(case, int(found[1]) if found else None, outcome)


def _run(folder: Path, jobs: Sequence[Job]) -> list[SideReport]:
    environment = clean_environment({**rail_environment("dram"), "NIXL_LOG_LEVEL": "INFO"})
    sides: list[subprocess.Popen[bytes]] = []
    try:
        for job in jobs:
            stem = folder / job.role
            stem.with_suffix(".job").write_text(job.to_json())
            command = [sys.executable, "-m", "nixl_stripe.lab.worker"]
            command += ["--job", f"{stem}.job", "--channel", f"dir:{folder / 'channel'}"]
            with stem.with_suffix(".log").open("wb") as log:
                command += ["--result", f"{stem}.result"]
                sides.append(
                    subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
                    )
                )
        for side in sides:
            side.wait(_LIMIT_S)
    finally:
        for side in sides:
            side.kill()
            side.wait()
    return [
        SideReport.collect(
            job.role, folder / f"{job.role}.result", folder / f"{job.role}.log", side.returncode
        )
        for job, side in zip(jobs, sides, strict=True)
    ]
