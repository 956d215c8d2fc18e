# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A transfer between the guests: the lab's worker on both sides, and what it showed."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import nixl_stripe
from nixl_stripe.agents.nixl_api import PACKAGES
from nixl_stripe.lab.job import Job, Nixl, Role
from nixl_stripe.lab.outcome import Outcome, SideError, SideReport

if TYPE_CHECKING:
    from nixl_stripe.lab.guests.bed import Finished, Guests

#: What every side gets: UCX's own report of the lanes, and this package. A guest has one processor:
#: a thread that posts would spin for its whole time slice on the lock of UCX's worker whenever the
#: progress thread was interrupted while it held it, .1 to .7 s in 290 small writes.
BASE_ENVIRONMENT = {
    "UCX_PROTO_INFO": "y",
    "UCX_USE_MT_MUTEX": "y",
    "PYTHONPATH": str(Path(nixl_stripe.__file__).resolve().parents[1]),
}


def nixl_folders(nixl: Nixl) -> list[Path]:
    """Return the folders in which a side may find NIXL and the libraries that it bundles."""
    if nixl.paths:
        return [Path(path) for path in nixl.paths]
    names = [nixl.package] if nixl.package else list(PACKAGES)
    found = [importlib.util.find_spec(name) for name in names]
    return [Path(spec.origin).parents[1] for spec in found if spec and spec.origin]


def run_pair(
    bed: Guests,
    jobs: Mapping[Role, Job],
    environment: Mapping[Role, Mapping[str, str]],
) -> Outcome:
    """Run both sides' jobs in the guests and return what they showed, errors included.

    A side that has not ended after `limit_s * (repeats + 3)` seconds is killed.
    """
    mine = jobs["initiator"]
    folder = bed.new_folder()
    limit = mine.limit_s * (mine.repeats + 3)
    commands = {}
    for role, job in jobs.items():
        file = folder / f"{role}.job"
        file.write_text(job.to_json())
        commands[role] = [
            *(sys.executable, "-m", "nixl_stripe.lab.worker", "--job", str(file)),
            *("--channel", f"dir:{folder}", "--result", str(folder / f"{role}.result")),
        ]
    ended = bed.run(commands, environment=environment, limit_s=limit)
    reports = {role: _report(folder, role, ended[role], limit) for role in jobs}
    seconds = max(one.wall_s for one in ended.values())
    return Outcome.of(mine, reports["initiator"], reports["target"], seconds)


def _report(folder: Path, role: Role, ended: Finished, limit: float) -> SideReport:
    log = folder / f"{role}.log"
    log.write_text(ended.output)
    result = folder / f"{role}.result"
    report = SideReport.collect(role, result, log, ended.status)
    if ended.timed_out and not result.exists():
        text = f"killed: it did not end within {limit:g} s"
        report = dataclasses.replace(report, error=SideError(role, "TimeoutError", text))
    return report
