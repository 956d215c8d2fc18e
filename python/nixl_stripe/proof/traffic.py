# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes that each NIC carried between two moments.

    with nixl_stripe.counters() as c:
        ...                        # transfers
    for nic, traffic in c.by_nic().items():
        print(nic, traffic.bytes_out, traffic.bytes_in, traffic.share, traffic.source)

NICs count all traffic of the host, other processes' too, with headers: shares, not payload sizes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.proof import sources
from nixl_stripe.proof.sources import SYSFS, NicNotFoundError, NicSource, NicTraffic


class Counters:
    """Watches NICs from `start()`, or from entering a `with` block, on.

    Made by `counters()`. After the block the figures stand still.
    """

    def __init__(self, nics: Iterable[str] | None = None, sysfs: str | Path = SYSFS) -> None:
        self._place = sources.host(sysfs)
        self.uncounted: dict[str, str] = {}
        """NICs that were found but whose bytes cannot be counted here, and why."""
        self._sources: list[NicSource] = []
        if nics is None:
            self._find(self._place.nics())
        else:
            self._sources = [sources.find_source(name, self._place) for name in nics]
        self.up: tuple[str, ...] = tuple(name for name in self.nics if self._place.is_up(name))
        """NICs that had a link when counting was set up."""
        self._end: list[_core.NicReading] | None = None
        self._end_time = 0.0
        self.start()

    @classmethod
    def of_all(cls, more: Iterable[str] = (), sysfs: str | Path = SYSFS) -> Counters:
        """Watch every NIC of the machine, and `more`, such as interfaces beside RDMA devices."""
        made = cls(None, sysfs)
        made._find([name for name in more if name not in made.nics])
        made.start()
        return made

    def _find(self, names: Iterable[str]) -> None:
        found, missing = sources.find_sources(names, self._place)
        self._sources += found
        self.uncounted.update(missing)

    def start(self) -> None:
        """Count from now on."""
        self._end = None
        self._begin = self._take()
        self._begin_time = time.monotonic()

    def stop(self) -> None:
        """Keep the figures as they are now."""
        self._end_time = time.monotonic()
        self._end = self._take()

    def __enter__(self) -> Counters:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def nics(self) -> tuple[str, ...]:
        """The NICs that are watched, by the names that they were given."""
        return tuple(source.nic for source in self._sources)

    @property
    def sources(self) -> dict[str, dict[str, str]]:
        """Of each NIC the source of its figures: name, kind, where and what it cannot see."""
        return {source.nic: source.describe() for source in self._sources}

    @property
    def seconds(self) -> float:
        """Time since the start, until the stop if there was one."""
        return (time.monotonic() if self._end is None else self._end_time) - self._begin_time

    def by_nic(self) -> dict[str, NicTraffic]:
        """Return what each NIC has carried since the start, until the stop if there was one."""
        end = self._take() if self._end is None else self._end
        rows = zip(self._sources, self._begin, end, strict=True)
        return sources.with_shares(source.between(a, b) for source, a, b in rows)

    def _take(self) -> list[_core.NicReading]:
        return [source.read() for source in self._sources]


def counters(nics: Iterable[str] | None = None, *, sysfs: str | Path = SYSFS) -> Counters:
    """Watch the byte counters of NICs; use it in a `with` statement.

    nics: RDMA devices (`mlx5_0`, or one port: `mlx5_0:1`) and network interfaces; None: every RDMA
    device, or every interface where there is none. sysfs: root of another sysfs, for tests.
    NicNotFoundError (a FileNotFoundError too) names a given device that is not there or whose bytes
    cannot be counted here, why, and what to enable; with None such devices are left out and stand
    in `uncounted`, and it is raised when not one is left.
    """
    made = Counters(nics, sysfs)
    if not made.nics and made.uncounted:
        raise NicNotFoundError(sources.no_source_text(made.uncounted))
    return made
