# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rates of NICs over time, for `nixl-stripe top`: pure figures, no output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nixl_stripe.errors import StripeError
from nixl_stripe.proof import sources
from nixl_stripe.proof.agents import read_folder
from nixl_stripe.proof.processes import ProcessRate, ProcessWatch, divide
from nixl_stripe.proof.sources import SYSFS, Evidence, NicTraffic

#: Below that, all planned NICs together, Gbit/s, no NIC is called idle: nothing is going on.
QUIET_GBPS = 0.01


@dataclass(frozen=True)
class NicRate:
    """One NIC in an interval.

    gbps_out, gbps_in: Gbit/s as the NIC counts, headers included. share: fraction of all bytes, out
    and in, of the NICs shown. errors, discards: frames since the start, not of the interval.
    problem: why the figures cannot be trusted, "" when they can. source, kind: as of NicTraffic.
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
        """Planned NICs that carried less than half of an even share while others were busy.

        None while all of them together carry next to nothing.
        """
        planned = [row for row in self.nics if row.planned]
        total = sum(row.share for row in planned)
        if sum(row.gbps_out + row.gbps_in for row in planned) < QUIET_GBPS:
            return ()
        return tuple(row.nic for row in planned if row.share < total / len(planned) / 2)

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

    nics: RDMA devices or network interfaces. planned: those that a plan uses; `mlx5_0:1` counts for
    `mlx5_0`. by_process: divide their bytes among processes. agents: a folder of `stripe_metrics`
    that tells their agents' names. NicNotFoundError: a NIC is not there. OSError: no such folder.
    """

    def __init__(
        self,
        nics: Iterable[str],
        planned: Iterable[str],
        sysfs: Path = SYSFS,
        clock: Callable[[], float] = time.monotonic,
        by_process: bool = False,
        agents: Path | None = None,
    ) -> None:
        place = sources.host(sysfs)
        self._sources = [sources.find_source(nic, place) for nic in nics]
        wanted = set(planned)
        bases = {nic.partition(":")[0] for nic in wanted}
        self._planned = {
            each.nic for each in self._sources if each.nic in wanted or each.nic in bases
        }
        self._clock = clock
        self._start = self._time = clock()
        self._last = [source.read() for source in self._sources]
        self._sums = [source.nothing() for source in self._sources]
        names = [source.nic for source in self._sources]
        self._processes = ProcessWatch(names, place.devices()) if by_process else None
        self._packets: dict[str, dict[int, int]] = {}
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
            self.agents.update(read_folder(self._agents_folder).names())

    def _named(self, rows: tuple[ProcessRate, ...]) -> tuple[ProcessRate, ...]:
        return tuple(replace(row, agent=self.agents.get(row.pid, "")) for row in rows)

    def summary(self) -> Sample:
        """Return what happened from the start to the last call of `sample`."""
        return self._sample(self._sums, self._time - self._start, self._packets)

    def _sample(
        self, rows: list[NicTraffic], seconds: float, packets: Mapping[str, Mapping[int, int]]
    ) -> Sample:
        factor = 8e-9 / seconds if seconds > 0 else 0.0
        since = {row.nic: row for row in self._sums}
        by_process = self._processes
        return Sample(
            self._time - self._start,
            seconds,
            tuple(
                NicRate(
                    nic=name,
                    planned=name in self._planned,
                    gbps_out=row.bytes_out * factor,
                    gbps_in=row.bytes_in * factor,
                    share=row.share,
                    errors=since[name].errors,
                    discards=since[name].discards,
                    problem=since[name].problem,
                    source=row.source,
                    kind=row.kind,
                )
                for name, row in sources.with_shares(rows).items()
            ),
            self._named(
                divide(packets, {row.nic: row.bytes * factor for row in rows}, by_process.command)
            )
            if by_process
            else (),
            dict(by_process.untold) if by_process else {},
        )


def nics_to_watch(planned: Iterable[str], given: str | None, sysfs: Path) -> tuple[str, ...]:
    """Return the NICs that a user named, separated by commas, or every NIC and the planned ones.

    StripeError where there is none.
    """
    if given is not None:
        names = tuple(name for name in given.split(",") if name)
    else:
        names = sources.all_nics(sysfs)
        if not {name.partition(":")[0] for name in planned} <= set(names):
            names = tuple(dict.fromkeys([*planned, *names]))
    if not names:
        raise StripeError(
            f"no NIC to watch: {sysfs}/class/infiniband and {sysfs}/class/net show none; "
            "in a container, share the host's network (--network host) or its RDMA devices"
        )
    return names
