# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rates of NICs over time, for `nixl-stripe top`: pure figures, no output."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nixl_stripe.proof.nic_files import SYSFS, find_files
from nixl_stripe.proof.traffic import NicTraffic, Reading, with_shares

#: Below that, all planned NICs together, Gbit/s, no NIC is called idle: nothing is going on.
QUIET_GBPS = 0.01


@dataclass(frozen=True)
class NicRate:
    """One NIC in an interval.

    gbps_out, gbps_in: Gbit/s as the NIC counts, headers included. share: fraction of all bytes, out
    and in, of the NICs shown. errors, discards: frames since the start, not of the interval.
    problem: why the figures cannot be trusted, "" when they can.
    """

    nic: str
    planned: bool
    gbps_out: float
    gbps_in: float
    share: float
    errors: int
    discards: int
    problem: str = ""


@dataclass(frozen=True)
class Sample:
    """All NICs in an interval that ended `at` seconds after the start and took `seconds`."""

    at: float
    seconds: float
    nics: tuple[NicRate, ...]

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
        }


class Watch:
    """Looks at NICs again and again.

    nics: RDMA devices or network interfaces. planned: those that a plan uses; `mlx5_0:1` counts for
    `mlx5_0`. NicNotFoundError: a NIC is not there.
    """

    def __init__(
        self,
        nics: Iterable[str],
        planned: Iterable[str],
        sysfs: Path = SYSFS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = [find_files(nic, sysfs) for nic in nics]
        wanted = set(planned)
        bases = {nic.partition(":")[0] for nic in wanted}
        self._planned = {
            files.nic for files in self._files if files.nic in wanted or files.nic in bases
        }
        self._clock = clock
        self._start = self._time = clock()
        self._last = [Reading.take(files) for files in self._files]
        self._sums = [NicTraffic(files.nic, 0, 0, source=files.kind) for files in self._files]

    def sample(self) -> Sample:
        """Return what happened since the last call, or since the start."""
        now = self._clock()
        readings = [Reading.take(files) for files in self._files]
        gained = [a.until(b) for a, b in zip(self._last, readings, strict=True)]
        self._sums = [_sum(a, b) for a, b in zip(self._sums, gained, strict=True)]
        seconds, self._time, self._last = now - self._time, now, readings
        return self._sample(gained, seconds)

    def summary(self) -> Sample:
        """Return what happened from the start to the last call of `sample`."""
        return self._sample(self._sums, self._time - self._start)

    def _sample(self, rows: list[NicTraffic], seconds: float) -> Sample:
        factor = 8e-9 / seconds if seconds > 0 else 0.0
        since = {row.nic: row for row in self._sums}
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
                )
                for name, row in with_shares(rows).items()
            ),
        )


def _sum(total: NicTraffic, more: NicTraffic) -> NicTraffic:
    return dataclasses.replace(
        total,
        bytes_out=total.bytes_out + more.bytes_out,
        bytes_in=total.bytes_in + more.bytes_in,
        errors=total.errors + more.errors,
        discards=total.discards + more.discards,
        problem=more.problem,
    )
