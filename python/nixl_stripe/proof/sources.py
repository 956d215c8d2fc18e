# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which counters see a NIC's bytes here, the best first, and what each cannot see.

The sources are C++ (`nixl_patch/counters`), because the patched plugin reads them too:

- `sysfs`: the port's `counters/`, words of four bytes (InfiniBand, mlx5 with RoCE, ...);
- `hw_counters`: the driver's own, where it counts bytes there (EFA, bnxt_re, erdma, irdma);
- `rdma-netlink`: the same and optional ones, without sysfs: what a pod with a network namespace of
  its own can still ask;
- `ethtool`: bytes of RDMA in the statistics of the interface below (mlx5);
- `netdev`: the interface's own statistics, for TCP and Soft-RoCE: what the kernel itself sent;
- `queue-pairs`: Soft-RoCE's packets times its MTU: inferred, not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from nixl_stripe import _core
from nixl_stripe.errors import StripeError

SYSFS = Path("/sys")

Evidence = Literal["counted", "inferred", "intended"]


class NicNotFoundError(StripeError, FileNotFoundError):
    """No device of that name, or one whose bytes cannot be counted here."""


@dataclass(frozen=True)
class NicTraffic:
    """What one NIC carried.

    bytes_out, bytes_in: headers included. share: fraction of all bytes, out and in, of the NICs
    that were watched; 0.0 when nothing was counted. errors, discards: frames.
    source: which counters were read (`sysfs`, `hw_counters`, `rdma-netlink`, `ethtool`, `netdev`,
    `queue-pairs`). kind: `counted` by the NIC or the kernel, `inferred` from packets, or `intended`
    by the plugin. blind: what the source cannot see. problem: why the figures cannot be trusted,
    "" when they can.
    """

    nic: str
    bytes_out: int
    bytes_in: int
    share: float = 0.0
    errors: int = 0
    discards: int = 0
    source: str = ""
    problem: str = ""
    kind: Evidence = "counted"
    blind: str = field(default="", repr=False)

    @property
    def bytes(self) -> int:
        """Bytes out and in."""
        return self.bytes_out + self.bytes_in

    def plus(self, more: NicTraffic) -> NicTraffic:
        """Return the sum with what the same NIC carried next; the later problem counts."""
        return replace(
            more,
            bytes_out=self.bytes_out + more.bytes_out,
            bytes_in=self.bytes_in + more.bytes_in,
            errors=self.errors + more.errors,
            discards=self.discards + more.discards,
        )


@dataclass(frozen=True)
class NicSource:
    """A NIC and the source of its bytes. Not for several threads at once."""

    nic: str
    source: _core.CounterSource

    def read(self) -> _core.NicReading:
        """Return the values of its counters now."""
        return self.source.read()

    def between(self, before: _core.NicReading, after: _core.NicReading) -> NicTraffic:
        """Return what the NIC carried between two readings."""
        gain = self.source.gain(before, after)
        return NicTraffic(
            self.nic,
            gain.bytes_out,
            gain.bytes_in,
            errors=gain.errors,
            discards=gain.discards,
            source=self.source.name,
            problem=gain.problem,
            kind=self.source.kind,
            blind=self.source.blind,
        )

    def nothing(self) -> NicTraffic:
        """Return that it carried nothing so far."""
        reading = self.source.read()
        return self.between(reading, reading)

    def describe(self) -> dict[str, str]:
        """Return name, kind, place and blindness as plain data for JSON."""
        found = self.source
        return {
            "name": found.name,
            "kind": found.kind,
            "where": found.where,
            "blind": found.blind,
        }


def host(sysfs: str | Path = SYSFS) -> _core.CounterHost:
    """Return where to look: this machine for `/sys`, any other sysfs alone."""
    return _core.CounterHost(str(sysfs))


def all_nics(sysfs: str | Path = SYSFS) -> tuple[str, ...]:
    """Return the RDMA devices, or where there is none the network interfaces but `lo`.

    In natural order (`mlx5_2` before `mlx5_10`).
    """
    return tuple(host(sysfs).nics())


def find_source(nic: str, place: _core.CounterHost) -> NicSource:
    """Return the best source of `nic`: `mlx5_0`, one port of it (`mlx5_0:1`), or an interface.

    NicNotFoundError when there is no such device, or none of the sources sees its bytes here: the
    message says of each why not, and what to enable.
    """
    answer = place.best(nic)
    if answer.source is None:
        raise NicNotFoundError(answer.reason)
    return NicSource(nic, answer.source)


def find_sources(
    nics: Iterable[str], place: _core.CounterHost
) -> tuple[list[NicSource], dict[str, str]]:
    """Return the sources of `nics`, and of those that have none the reason."""
    found: list[NicSource] = []
    missing: dict[str, str] = {}
    for nic in nics:
        try:
            found.append(find_source(nic, place))
        except NicNotFoundError as error:  # noqa: PERF203 - each may fail by itself
            missing[nic] = str(error)
    return found, missing


def no_source_text(missing: Mapping[str, str]) -> str:
    """Return why none of the NICs can be counted, each reason once."""
    reasons = dict.fromkeys(missing.values())
    return "no NIC's bytes can be counted here: " + " | ".join(reasons)


def with_shares(rows: Iterable[NicTraffic]) -> dict[str, NicTraffic]:
    """Return the rows by NIC, each with its fraction of all their bytes."""
    found = list(rows)
    total = sum(row.bytes for row in found)
    return {row.nic: replace(row, share=row.bytes / total if total else 0.0) for row in found}
