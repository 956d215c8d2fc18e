# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rates of NICs over time, for `nixl-stripe top`: pure figures, no output."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nixl_stripe.proof import sources
from nixl_stripe.proof.agents import read_folder
from nixl_stripe.proof.processes import ProcessRate, ProcessWatch, divide
from nixl_stripe.proof.sources import SYSFS, Evidence, NicNotFoundError, NicTraffic
from nixl_stripe.proof.striped import base

#: Below that, all planned NICs together, Gbit/s, no NIC is called idle: nothing is going on.
QUIET_GBPS = 0.01


@dataclass(frozen=True)
class NicRate:
    """One NIC in an interval.

    gbps_out, gbps_in: Gbit/s as the NIC counts, headers included. share: fraction of all bytes, out
    and in, of the NICs shown. errors, discards: frames since the start, not of the interval.
    problem: why the figures cannot be trusted, "" when they can. source, kind: as of NicTraffic; ""
    for a NIC whose bytes cannot be counted here. due: fraction of the plan's bytes that it should
    carry.
    """

    nic: str
    planned: bool
    gbps_out: float
    gbps_in: float
    share: float
    errors: int
    discards: int
    problem: str = ""
    source: str = ""
    kind: Evidence = "counted"
    due: float = 0.0


@dataclass(frozen=True)
class Sample:
    """All NICs in an interval that ended `at` seconds after the start and took `seconds`.

    processes: who carried how much of it, where that was asked for; untold: of which NICs that
    cannot be told, and why.
    """

    at: float
    seconds: float
    nics: tuple[NicRate, ...]
    processes: tuple[ProcessRate, ...] = ()
    untold: Mapping[str, str] = field(default_factory=dict)

    @property
    def gbps_out(self) -> float:
        """Gbit/s out of all NICs together."""
        return sum(row.gbps_out for row in self.nics)

    @property
    def gbps_in(self) -> float:
        """Gbit/s into all NICs together."""
        return sum(row.gbps_in for row in self.nics)

    @property
    def idle(self) -> tuple[str, ...]:
        """Planned NICs that carried less than half of what they were due while others were busy.

        None while all of them together carry next to nothing; none whose bytes cannot be counted.
        """
        if sum(row.gbps_out + row.gbps_in for row in self.planned) < QUIET_GBPS:
            return ()
        return tuple(row.nic for row, ratio in self.of_due if ratio < 0.5)

    @property
    def planned(self) -> tuple[NicRate, ...]:
        """Planned NICs whose bytes can be counted."""
        return tuple(row for row in self.nics if row.planned and row.source)

    @property
    def of_due(self) -> tuple[tuple[NicRate, float], ...]:
        """Those, each with its bytes over what it was due of all their bytes; none of no bytes."""
        total = sum(row.share for row in self.planned)
        due = sum(row.due for row in self.planned)
        if not total or not due:
            return ()
        return tuple((row, row.share / total / (row.due / due)) for row in self.planned if row.due)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain data for JSON."""
        return {
            "seconds": round(self.at, 3),
            "interval": round(self.seconds, 3),
            "gbps_out": self.gbps_out,
            "gbps_in": self.gbps_in,
            "idle": list(self.idle),
            "nics": [asdict(row) for row in self.nics],
            "processes": [asdict(row) for row in self.processes],
            "untold": dict(self.untold),
        }


class Watch:
    """Looks at NICs again and again.

    nics: RDMA devices or network interfaces. planned: those that a plan uses, with the fraction
    that each is due where it is known; `mlx5_0:1` counts for `mlx5_0`. by_process: divide their
    bytes among processes. agents: a folder of `stripe_metrics` that tells their agents' names.
    NicNotFoundError: not one NIC can be counted here. OSError: no such folder.
    """

    def __init__(
        self,
        nics: Iterable[str],
        planned: Iterable[str] | Mapping[str, float],
        sysfs: Path = SYSFS,
        clock: Callable[[], float] = time.monotonic,
        by_process: bool = False,
        agents: Path | None = None,
    ) -> None:
        place = sources.host(sysfs)
        self._sources, self._uncounted = sources.find_sources(nics, place)
        if self._uncounted and not self._sources:
            raise NicNotFoundError(sources.no_source_text(self._uncounted))
        even = planned if isinstance(planned, Mapping) else dict.fromkeys(planned, 1.0)
        self._due = _due_by_name([*(each.nic for each in self._sources), *self._uncounted], even)
        self._clock = clock
        self._start = self._time = clock()
        self._last = [source.read() for source in self._sources]
        self._sums = [source.nothing() for source in self._sources]
        names = [source.nic for source in self._sources]
        self._processes = ProcessWatch(names, place.devices()) if by_process else None
        self._packets: dict[str, dict[int, int]] = {}
        self._problems: dict[str, str] = {}
        if agents is not None:
            read_folder(agents)
        self._agents_folder = agents
        self.agents: dict[int, str] = {}
        """Names of the agents of processes, ended ones too."""
        self._name_agents()

    def sample(self) -> Sample:
        """Return what happened since the last call, or since the start."""
        now = self._clock()
        self._name_agents()
        readings = [source.read() for source in self._sources]
        rows = zip(self._sources, self._last, readings, strict=True)
        gained = [source.between(a, b) for source, a, b in rows]
        self._sums = [a.plus(b) for a, b in zip(self._sums, gained, strict=True)]
        self._problems.update({row.nic: row.problem for row in gained if row.problem})
        seconds, self._time, self._last = now - self._time, now, readings
        packets = self._processes.gained() if self._processes else {}
        for nic, row in packets.items():
            sums = self._packets.setdefault(nic, {})
            for pid, count in row.items():
                sums[pid] = sums.get(pid, 0) + count
        return self._sample(gained, seconds, packets)

    def _name_agents(self) -> None:
        """Learn new agents; one that has ended meanwhile keeps its name."""
        if self._agents_folder is not None:
            with contextlib.suppress(OSError):  # the folder went away meanwhile
                self.agents.update(read_folder(self._agents_folder).names())

    def _named(self, rows: tuple[ProcessRate, ...]) -> tuple[ProcessRate, ...]:
        return tuple(replace(row, agent=self.agents.get(row.pid, "")) for row in rows)

    def summary(self) -> Sample:
        """Return what happened from the start to the last call of `sample`.

        A NIC that had a problem for a time has it here too: its figures lack that time.
        """
        whole = self._sample(self._sums, self._time - self._start, self._packets)
        rows = (
            row
            if row.problem or row.nic not in self._problems
            else replace(row, problem=f"for a time {self._problems[row.nic]}")
            for row in whole.nics
        )
        return replace(whole, nics=tuple(rows))

    def _sample(
        self, rows: list[NicTraffic], seconds: float, packets: Mapping[str, Mapping[int, int]]
    ) -> Sample:
        factor = 8e-9 / seconds if seconds > 0 else 0.0
        by_process = self._processes
        return Sample(
            self._time - self._start,
            seconds,
            (
                *(self._rate(row, factor) for row in sources.with_shares(rows).values()),
                *(self._untold(name, why) for name, why in self._uncounted.items()),
            ),
            self._named(
                divide(packets, {row.nic: row.bytes * factor for row in rows}, by_process.command)
            )
            if by_process
            else (),
            dict(by_process.untold) if by_process else {},
        )

    def _rate(self, row: NicTraffic, factor: float) -> NicRate:
        since = next(each for each in self._sums if each.nic == row.nic)
        return NicRate(
            nic=row.nic,
            planned=row.nic in self._due,
            gbps_out=row.bytes_out * factor,
            gbps_in=row.bytes_in * factor,
            share=row.share,
            errors=since.errors,
            discards=since.discards,
            problem=since.problem,
            source=row.source,
            kind=row.kind,
            due=self._due.get(row.nic, 0.0),
        )

    def _untold(self, name: str, why: str) -> NicRate:
        return NicRate(name, name in self._due, 0, 0, 0, 0, 0, why, due=self._due.get(name, 0.0))


def _due_by_name(names: Iterable[str], planned: Mapping[str, float]) -> dict[str, float]:
    """Return what each watched name is due, as a fraction: `mlx5_0` what its ports are together."""
    found: dict[str, float] = {}
    for name in names:
        parts = [share for each, share in planned.items() if name in (each, base(each))]
        if parts:
            found[name] = sum(parts)
    whole = sum(found.values())
    return {name: share / whole for name, share in found.items()} if whole else found
