# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Processor time of one side of a transfer, against the bytes that it moved meanwhile."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from dataclasses import dataclass

_GIB = 1 << 30


@dataclass(frozen=True)
class Cpu:
    """What a process spent while payload was moved: all its threads, NIXL's and UCX's too.

    user_s, system_s: seconds, as getrusage(2) tells them. What the kernel does in threads of its
    own is not in it: over Soft-RoCE that is the work that a NIC does by itself elsewhere.
    moved: bytes of payload in that time.
    """

    user_s: float = 0.0
    system_s: float = 0.0
    moved: int = 0

    def __add__(self, other: Cpu) -> Cpu:
        return Cpu(
            self.user_s + other.user_s, self.system_s + other.system_s, self.moved + other.moved
        )

    @property
    def s_per_gib(self) -> float | None:
        """Seconds of processor time for each GiB of payload; None where nothing was moved."""
        return (self.user_s + self.system_s) * _GIB / self.moved if self.moved else None


class CpuMeter:
    """Measures this process from its making on."""

    def __init__(self) -> None:
        self._start = resource.getrusage(resource.RUSAGE_SELF)

    def spent(self, moved: int) -> Cpu:
        """Return what was spent until now, in which `moved` bytes of payload went."""
        now = resource.getrusage(resource.RUSAGE_SELF)
        return Cpu(now.ru_utime - self._start.ru_utime, now.ru_stime - self._start.ru_stime, moved)


def total(parts: Iterable[Cpu]) -> Cpu:
    """Return the sum."""
    return sum(parts, Cpu())


def by_side(initiator: Cpu, target: Cpu) -> dict[str, dict[str, float]]:
    """Return seconds a GiB of each side for JSON: user, system, and both as `total`."""
    return {
        side: {
            "user": round(cpu.user_s * _GIB / cpu.moved, 4),
            "system": round(cpu.system_s * _GIB / cpu.moved, 4),
            "total": round(cpu.s_per_gib or 0.0, 4),
        }
        for side, cpu in (("initiator", initiator), ("target", target))
        if cpu.moved
    }
