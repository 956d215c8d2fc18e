# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A job on both sides of a bed, and what makes its figures worth nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nixl_stripe.bench.work import BenchJob, BenchReport, WorkReport
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.side import ROLES, Environment


class BenchFailedError(StripeError):
    """A transfer of the benchmark failed or brought wrong bytes: there is no figure to give."""


@dataclass(frozen=True)
class Pair:
    """What both sides of a job reported."""

    initiator: BenchReport
    target: BenchReport

    def works(self) -> Iterator[tuple[WorkReport, WorkReport]]:
        """Yield each work as initiator and target saw it."""
        return zip(self.initiator.works, self.target.works, strict=True)


def run(bed: Bed, job: BenchJob, environment: Mapping[str, str]) -> Pair:
    """Run a job in two fresh processes; BenchFailedError unless every payload was right."""
    # UCX's own report of its lanes is not for what is timed.
    changes: Environment = {"UCX_PROTO_INFO": None, **environment}
    jobs = {role: job.for_role(role) for role in ROLES}
    ended = bed.sides(jobs, dict.fromkeys(ROLES, changes))
    mine, theirs = (BenchReport.of(role, ended[role]) for role in ROLES)
    pair = Pair(mine, theirs)
    require(job, pair)
    return pair


def require(job: BenchJob, pair: Pair) -> None:
    """Raise BenchFailedError unless every repetition of every work was checked and right."""
    errors = [e for e in (pair.initiator.error, pair.target.error) if e]
    own = [e for e in errors if "PeerFailedError" not in e]
    if errors:
        raise BenchFailedError((own or errors)[0])
    for work, (mine, theirs) in zip(job.works, pair.works(), strict=True):
        if mine.verified + theirs.verified != work.warmup + work.repeats:
            raise BenchFailedError(f"{work.name}: not every payload was checked")
