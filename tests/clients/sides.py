# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Starts one of the `*_side` programs of this folder on both ends of the rails."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clients.client_side import ClientJob
from nixl_stripe.lab import Rails, side
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.side import ROLES, Finished
from nixl_wheels import environment

TESTS = Path(__file__).parents[1]


class Ends(Protocol):
    """What has two ends and rails between them: `Rails`, or a test's stand-in."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The rails, as the initiator calls them."""

    def run_programs(
        self, programs: Mapping[Role, Sequence[str]], *, limit_s: float
    ) -> dict[Role, Finished]:
        """Run a program at each end."""


@dataclass(frozen=True)
class Sides:
    """What both sides said, as their programs wrote it, and all that they printed."""

    initiator: dict[str, Any]
    target: dict[str, Any]
    log: str

    @property
    def error(self) -> tuple[str, str] | None:
        """Type and text of the error of the side that failed first."""
        errors = [side["error"] for side in (self.initiator, self.target) if "error" in side]
        first = [each for each in errors if each[0] != "PeerFailedError"]
        return (first[0][0], first[0][1]) if first else None


def start(
    rails: Ends,
    program: str,
    job: Mapping[str, Any],
    nixl: Sequence[Path],
    variables: Mapping[str, str],
) -> Sides:
    """Run `program` on both sides over TCP, with `nixl` first on the path."""
    settings = {"UCX_TLS": "tcp", "UCX_MODULES": "^ib", "OMP_NUM_THREADS": "1", **variables}
    full = environment(*nixl, TESTS, TESTS / "support", **settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs: dict[Role, list[str]] = {}
        for role in ROLES:
            given = {**job, "counters": list(rails.devices)}
            todo = ClientJob(role, f"clients.{program}", given)
            programs[role] = ["env", "-i", *(f"{key}={value}" for key, value in full.items())]
            programs[role] += side.command(todo, folder, f"dir:{folder}")
        ended = rails.run_programs(programs, limit_s=ClientJob.total_limit_s)
        log = "\n".join(f"== {role}\n{ended[role].output}" for role in ROLES)
        said = []
        for role in ROLES:
            end, limit_s = ended[role], ClientJob.total_limit_s
            late_s = limit_s if end.timed_out else None
            one = side.read(folder, role, end.status, log=end.output, late_s=late_s)
            assert one.result is not None, f"{role}: {one.failure}, {ended}\n{log}"
            said.append(json.loads(one.result))
    return Sides(said[0], said[1], log)


def share(counted: Mapping[str, int]) -> dict[str, float]:
    """Return the fraction of all bytes per rail."""
    total = sum(counted.values())
    return {name: n / total for name, n in counted.items()}


def assert_even(counted: Mapping[str, int], rails: Rails) -> None:
    """Each rail carried its share."""
    assert set(counted) == set(rails.devices)
    for part in share(counted).values():
        assert abs(part - 1 / len(rails.devices)) < 0.025, counted
