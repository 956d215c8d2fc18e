# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes that each NIC carried between two moments.

    with nixl_stripe.counters() as c:
        ...                        # transfers
    for nic, traffic in c.by_nic().items():
        print(nic, traffic.bytes_out, traffic.bytes_in, traffic.share)

NICs count all traffic of the host, other processes' too, with headers: shares, not payload sizes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from nixl_stripe.proof.nic_files import (
    SYSFS,
    NicFiles,
    NicNotFoundError,
    all_nics,
    find_files,
    is_up,
    read_count,
)

#: Where InfiniBand's counters of 32 bits stop for good.
_STUCK = (1 << 32) - 1


@dataclass(frozen=True)
class NicTraffic:
    """What one NIC carried.

    bytes_out, bytes_in: as the NIC counted, headers included. share: fraction of all bytes, out and
    in, of the NICs that were watched; 0.0 when nothing was counted. errors, discards: frames.
    source: which counters were read. problem: why the figures cannot be trusted, "" when they can.
    """

    nic: str
    bytes_out: int
    bytes_in: int
    share: float = 0.0
    errors: int = 0
    discards: int = 0
    source: str = ""
    problem: str = ""

    @property
    def bytes(self) -> int:
        """Bytes out and in."""
        return self.bytes_out + self.bytes_in


@dataclass(frozen=True)
class Reading:
    """The values of one NIC's counters at a moment; None where a file could not be read."""

    files: NicFiles
    values: Mapping[Path, int | None] = field(repr=False)

    @classmethod
    def take(cls, files: NicFiles) -> Reading:
        """Read all counters of a NIC."""
        views = (*files.bytes_out, *files.bytes_in, files.errors, files.discards)
        return cls(files, {path: read_count(path) for view in views for path in view})

    def until(self, later: Reading) -> NicTraffic:
        """Return what was counted from this reading to a later one of the same NIC."""
        files = self.files

        def gained(paths: Iterable[Path]) -> int:
            return sum(advance(self.values[p], later.values[p]) for p in paths)

        return NicTraffic(
            files.nic,
            max(gained(view) for view in files.bytes_out) * files.unit,
            max(gained(view) for view in files.bytes_in) * files.unit,
            errors=gained(files.errors),
            discards=gained(files.discards),
            source=files.kind,
            problem=self._problem(later),
        )

    def _problem(self, later: Reading) -> str:
        views = (*self.files.bytes_out, *self.files.bytes_in)
        paths = [path for view in views for path in view]
        if any(later.values[path] is None for path in paths):
            return "its counters went away"
        if self.files.unit > 1 and any(self.values[p] == later.values[p] == _STUCK for p in paths):
            return "its counters of 32 bits are full and stand still (perfquery -R resets them)"
        return ""


def advance(before: int | None, after: int | None) -> int:
    """Return how far a counter went, over the end of 32 or 64 bits or from a reset too.

    A counter that went down from its upper half went over the end once; from its lower half it was
    set back to zero, as when its device was reset. One that cannot be read has not moved.
    """
    if before is None or after is None:
        return 0
    if after >= before:
        return after - before
    end = 1 << (32 if before < 1 << 32 else 64)
    return after + end - before if before >= end // 2 else after


class Counters:
    """Watches NICs from `start()`, or from entering a `with` block, on.

    Made by `counters()`. After the block the figures stand still.
    """

    def __init__(self, nics: Iterable[str] | None = None, sysfs: str | Path = SYSFS) -> None:
        root = Path(sysfs)
        self.uncounted: dict[str, str] = {}
        """NICs that were found but count no bytes, and why."""
        self._files: list[NicFiles] = []
        if nics is None:
            self._find(all_nics(root), root)
        else:
            self._files = [find_files(name, root) for name in nics]
        self.up: tuple[str, ...] = tuple(name for name in self.nics if is_up(name, root))
        """NICs that had a link when counting was set up."""
        self._end: list[Reading] | None = None
        self._end_time = 0.0
        self.start()

    @classmethod
    def of_all(cls, more: Iterable[str] = (), sysfs: str | Path = SYSFS) -> Counters:
        """Watch every NIC of the machine, and `more`, such as interfaces beside RDMA devices."""
        made = cls(None, sysfs)
        made._find([name for name in more if name not in made.nics], Path(sysfs))
        made.start()
        return made

    def _find(self, names: Iterable[str], sysfs: Path) -> None:
        for name in names:
            try:
                self._files.append(find_files(name, sysfs))
            except NicNotFoundError as error:  # noqa: PERF203 - each may fail by itself
                self.uncounted[name] = str(error)

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def nics(self) -> tuple[str, ...]:
        """The NICs that are watched, by the names that they were given."""
        return tuple(files.nic for files in self._files)

    @property
    def seconds(self) -> float:
        """Time since the start, until the stop if there was one."""
        return (time.monotonic() if self._end is None else self._end_time) - self._begin_time

    def by_nic(self) -> dict[str, NicTraffic]:
        """Return what each NIC has carried since the start, until the stop if there was one."""
        end = self._take() if self._end is None else self._end
        return with_shares(a.until(b) for a, b in zip(self._begin, end, strict=True))

    def _take(self) -> list[Reading]:
        return [Reading.take(files) for files in self._files]


def with_shares(rows: Iterable[NicTraffic]) -> dict[str, NicTraffic]:
    """Return the rows by NIC, each with its fraction of all their bytes."""
    found = list(rows)
    total = sum(row.bytes for row in found)
    return {
        row.nic: dataclasses.replace(row, share=row.bytes / total if total else 0.0)
        for row in found
    }


def counters(nics: Iterable[str] | None = None, *, sysfs: str | Path = SYSFS) -> Counters:
    """Watch the byte counters of NICs; use it in a `with` statement.

    nics: RDMA devices (`mlx5_0`, or one port: `mlx5_0:1`) and network interfaces; None: every RDMA
    device, or every interface where there is none. sysfs: root of another sysfs, for tests.
    NicNotFoundError (a FileNotFoundError too) names a given device that is not there or counts no
    bytes; with None such devices are left out and stand in `uncounted`.
    """
    return Counters(nics, sysfs)
