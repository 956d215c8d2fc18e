# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is compared, and what each case showed over all rounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.wheel.installs import Installs


@dataclass(frozen=True)
class Case:
    """One NIXL with one set of backend parameters.

    rails: how many it must use; None where the demo only looks.
    """

    key: str
    title: str
    site: Path
    params: Mapping[str, str]
    rails: int | None


def cases(installs: Installs, rails: int) -> list[Case]:
    """Return what the demo compares over `rails` rails."""
    stock, patched = installs.stock, installs.patched
    one = {"max_rma_rails": "1"}
    every = {"max_rma_rails": str(rails)}
    return [
        Case("one_rail", "patched, 1 rail", patched, one, 1),
        Case("stock", "stock NIXL", stock, {}, None),
        Case("patched", f"patched, {rails} rails", patched, every, rails),
    ]


@dataclass(frozen=True)
class Summary:
    """A case over all rounds, each in fresh processes, every payload verified.

    Rates in Gbit/s of payload: the median over all transfers, the slowest and the fastest.
    bytes: per rail, one transfer on average, headers included. rails_used: the fewest of any round.
    lanes: UCX's own report. create_seconds: making the backend, median over the rounds.
    """

    case: Case
    gbps: float
    slowest: float
    fastest: float
    gbps_each: tuple[float, ...]
    rails_used: int
    bytes: Mapping[str, int]
    lanes: Mapping[str, float]
    create_seconds: float

    @classmethod
    def of(cls, case: Case, rounds: list[Outcome]) -> Summary:
        """Put the rounds of a case together; each must have succeeded."""
        each = tuple(rate for outcome in rounds for rate in outcome.gbps_each)
        counted = {
            name: round(sum(o.bytes[name] for o in rounds) / sum(o.repeats for o in rounds))
            for name in rounds[0].devices
        }
        fewest = min(rounds, key=lambda outcome: outcome.rails_used)
        lanes = min((o.lanes.share if o.lanes else {} for o in rounds), key=len)
        return cls(
            case=case,
            gbps=statistics.median(each),
            slowest=min(each),
            fastest=max(each),
            gbps_each=each,
            rails_used=fewest.rails_used,
            bytes=counted,
            lanes=lanes,
            create_seconds=statistics.median(o.initiator.create_seconds or 0.0 for o in rounds),
        )

    @property
    def problem(self) -> str | None:
        """What contradicts the case's promise, in one line; None where nothing does."""
        want = self.case.rails
        if want is None or (self.rails_used == want == len(self.lanes)):
            return None
        return (
            f"{self.case.title}: max_rma_rails={want} was asked for, "
            f"{self.rails_used} rails carried data, "
            f"UCX reports {len(self.lanes)} lanes"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain data for JSON."""
        return {
            "gbps": self.gbps,
            "gbps_min": self.slowest,
            "gbps_max": self.fastest,
            "gbps_each": list(self.gbps_each),
            "rails_used": self.rails_used,
            "bytes_per_transfer": dict(self.bytes),
            "lanes": dict(self.lanes),
            "create_seconds": self.create_seconds,
            "backend_params": dict(self.case.params),
        }
