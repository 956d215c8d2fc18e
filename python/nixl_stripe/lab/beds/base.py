# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What every place of a transfer has in common: rails, guests, two processes, two hosts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from nixl_stripe.lab.cut import Cut, CutMade
from nixl_stripe.lab.job import ALL_NICS, OPS, Job, Op, Role
from nixl_stripe.lab.outcome import Outcome, SideReport
from nixl_stripe.lab.side import Ended, Environment, SideJob
from nixl_stripe.lab.transfer import Transfer

BedT = TypeVar("BedT", bound="Bed")

WRITE_ONLY: tuple[Op, ...] = ("WRITE",)


class Bed(ABC):
    """A place that runs both sides of a transfer; a context manager.

    name: as the commands call it. where: in words. counters: the devices whose bytes count.
    limit_mbit: what each of them carries, Mbit/s, where that is not its nominal rate.
    bucket_bytes: what a rested NIC sends at once before its limit holds. limit_s: for each wait of
    a transfer that says nothing else. notes: what a reader must know to judge figures from here.
    """

    name: str
    where: str
    counters: tuple[str, ...] = ALL_NICS
    limit_mbit: float | None = None
    bucket_bytes: int = 0
    limit_s: float = 20.0
    notes: tuple[str, ...] = ()
    #: NICs that are lost in the cases to come, where the bed can do that; what came of the last.
    cut: Cut | None = None
    cut_made: CutMade = CutMade()

    def __enter__(self: BedT) -> BedT:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Take everything away; harmless when done twice."""

    @abstractmethod
    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Run both jobs against each other in fresh processes and return how they ended.

        changes: variables on top of the bed's own; None takes one away.
        """

    def ops(self) -> tuple[Op, ...]:
        """Return the operations that can stripe here: over TCP only WRITE does."""
        return OPS if Path("/sys/class/infiniband").is_dir() else WRITE_ONLY

    @property
    def ceiling_gbps(self) -> float | None:
        """What its NICs carry together, Gbit/s; None where that is their nominal rate."""
        return None if self.limit_mbit is None else self.limit_mbit * len(self.counters) * 1e-3

    def describe(self) -> dict[str, object]:
        """Return what the bed is made of, for a result file."""
        return {"bed": self.name, "nics": len(self.counters), "mbit": self.limit_mbit}

    def transfer(self, wish: Transfer | None = None, **fields: Any) -> Outcome:
        """Do one transfer and return what it showed, errors included.

        wish: or the fields of one: `transfer(sizes=[1 << 20], backend_params={"stripe": "all"})`.
        """
        full = self.prepared(Transfer(**fields) if wish is None else wish)
        jobs = full.jobs(self.counters, self.limit_s)
        return self.exchange(jobs, full.environments(), full.interpreter)

    def prepared(self, wish: Transfer) -> Transfer:
        """Return a wish with what this bed adds; ValueError for what it cannot do."""
        if wish.gpu or wish.peer_gpu or wish.context_current:
            raise ValueError(
                f"gpu={wish.gpu or wish.peer_gpu!r}: accepted are places of GPUs in guests alone"
            )
        return wish

    def exchange(
        self,
        jobs: Mapping[Role, Job],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> Outcome:
        """Run both jobs and put their reports together."""
        ended = self.sides(jobs, changes, interpreter)
        mine, theirs = (SideReport.of(role, ended[role]) for role in ("initiator", "target"))
        seconds = max(side.wall_s for side in ended.values())
        return Outcome.of(jobs["initiator"], mine, theirs, seconds)


def merged(*parts: Environment) -> dict[str, str]:
    """Return environments put together, the later ones winning; None takes a variable away."""
    full = {key: value for part in parts for key, value in part.items()}
    return {key: value for key, value in full.items() if value is not None}
