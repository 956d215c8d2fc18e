# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which process carries how much of a NIC's bytes.

RDMA netlink tells the process of each queue pair and how many packets of payload the queue pair has
moved (its packet sequence numbers). A NIC's bytes are divided in that proportion, so what a process
carried is always inferred, never counted. Soft-RoCE keeps the numbers live; whether a NIC's
firmware does shows at once: a NIC that counts bytes while no packet moves cannot be divided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe import _core
from nixl_stripe.proof.hidden import is_hidden
from nixl_stripe.untrusted import one_line

Packets = Mapping[int, int]
"""Packets of payload by process; 0 stands for processes of other PID namespaces."""

_FOREIGN = "another PID namespace"
_HIDDEN = "another user's"
_NO_QUEUE_PAIRS = "a network interface has no queue pairs: its bytes are not told by process"


@dataclass(frozen=True)
class ProcessRate:
    """What one process carried in an interval, out and in: inferred.

    gbps: by NIC. share: fraction of the bytes of those NICs that could be divided. agent: NIXL's
    name of it, where it is known (`stripe_metrics`).
    """

    pid: int
    command: str
    gbps: Mapping[str, float]
    share: float
    kind: str = "inferred"
    agent: str = ""


class ProcessWatch:
    """Looks at the queue pairs of NICs again and again.

    look: of one device, the packets by process since its first call, and why not, for tests.
    """

    def __init__(
        self,
        nics: Iterable[str],
        rdma: Iterable[str],
        look: Callable[[str], tuple[Packets, str]] | None = None,
    ) -> None:
        devices = set(rdma)
        self._look = look or _Looks()
        self._nics = [nic for nic in nics if nic.partition(":")[0] in devices]
        self.untold: dict[str, str] = {
            nic: _NO_QUEUE_PAIRS for nic in nics if nic.partition(":")[0] not in devices
        }
        """NICs whose bytes cannot be divided, and why."""
        self._commands: dict[int, str] = {}
        self._last: dict[str, Packets] = {}
        self.gained()

    def gained(self) -> dict[str, dict[int, int]]:
        """Return, for each NIC, the packets by process since the last call."""
        rows: dict[str, dict[int, int]] = {}
        for nic in self._nics:
            now, error = self._look(nic.partition(":")[0])
            if error:
                self.untold[nic] = error
                continue
            self.untold.pop(nic, None)
            before = self._last.get(nic, {})
            rows[nic] = {pid: count - before.get(pid, 0) for pid, count in now.items()}
            self._last[nic] = dict(now)
            for pid in now:
                self._commands.setdefault(pid, _command(pid))
        return rows

    def command(self, pid: int) -> str:
        """Return the name of a process that was seen; it may have ended."""
        return self._commands.get(pid, "")


class _Looks:
    """Asks RDMA netlink, with one tracker a device."""

    def __init__(self) -> None:
        self._devices: dict[str, _core.RdmaProcesses] = {}

    def __call__(self, device: str) -> tuple[Packets, str]:
        tracker = self._devices.setdefault(device, _core.RdmaProcesses(device))
        totals = tracker.look()
        return {pid: each.asked + each.answered for pid, each in totals.items()}, tracker.error


def divide(
    packets: Mapping[str, Mapping[int, int]],
    gbps: Mapping[str, float],
    command: Callable[[int], str],
) -> tuple[ProcessRate, ...]:
    """Divide each NIC's Gbit/s among processes, the busiest first; without packets it is nobody's.

    packets: by NIC and process. gbps: by NIC.
    """
    rates: dict[int, dict[str, float]] = {}
    for nic, row in packets.items():
        moved = sum(row.values())
        for pid, count in row.items():
            if count:
                rates.setdefault(pid, {})[nic] = gbps[nic] * count / moved
    whole = sum(sum(each.values()) for each in rates.values())
    found = [
        ProcessRate(pid, command(pid), each, sum(each.values()) / whole if whole else 0.0)
        for pid, each in rates.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.share, row.pid)))


def _command(pid: int) -> str:
    if pid == 0:
        return _FOREIGN
    try:
        # A process chooses its own name, of any bytes: it is of others.
        return one_line(Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip())
    except OSError:
        return _HIDDEN if is_hidden(pid) else "ended"
