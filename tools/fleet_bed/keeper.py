# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a fleet's members alive over many runs, so that a fault costs seconds and not a minute."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from nixl_stripe.fleet.hub import Hub
from nixl_stripe.fleet.messages import Request
from nixl_stripe.fleet.model import Kind
from nixl_stripe.fleet.sweep import Plan, Result, sweep
from nixl_stripe.lab.remote import Address, Token

from fleet_bed.bed import SWITCH, Bed, environment
from fleet_bed.faults import Fault, make, mend

PORT = 18999
#: Every interface but the one for control.
PARAMS = {"stripe": "^ctl"}
_GATHER_S = 120.0


class Keeper:
    """A bed's members and the hub that they are in. striped, stock: folders with a NIXL each."""

    def __init__(self, bed: Bed, striped: Path, stock: Path, size: int, limit_s: float) -> None:
        self._bed, self._nixl = bed, {True: striped, False: stock}
        self._token = Token.generate()
        self._plan = Plan(("WRITE",), size, limit_s)
        request = Request(size, "dram", PARAMS, os.urandom(16).hex())
        self._members: dict[int, subprocess.Popen[bytes]] = {}
        self.log: list[str] = []
        address = Address(SWITCH, PORT)
        self.hub = Hub(address, self._token.key(), len(bed.hosts), request, self.log.append)
        for number in range(len(bed.hosts)):
            self._start(number)
        self._gather()

    def close(self) -> None:
        """End all members."""
        for number in list(self._members):
            self._kill(number)
        self.hub.__exit__()

    def run(self, *faults: Fault) -> Result:
        """Make faults, run, and mend them."""
        for fault in faults:
            self._make(fault)
        # A change of a host's program is to be there before the run; a death comes amid it.
        self._gather()
        dying = [fault.hosts[0] for fault in faults if fault.kind is Kind.HOST_DEAD]
        timers = [threading.Timer(0.3, self._signal, [number]) for number in dying]
        for timer in timers:
            timer.start()
        try:
            return self._sweep()
        finally:
            for timer in timers:
                timer.join()
            for fault in faults:
                self._mend(fault)
            self._gather()

    def _sweep(self) -> Result:
        hub = self.hub
        facts = {host: hub.facts[host] for host in hub.hosts}
        return sweep(hub, facts, hub.cards.__getitem__, self._plan, self.log.append, hub.absent)

    def _make(self, fault: Fault) -> None:
        make(self._bed, fault)
        if fault.kind in (Kind.UNPATCHED, Kind.OTHER_RAILS):
            self._restart(fault.hosts[0], patched=fault.kind is not Kind.UNPATCHED)

    def _mend(self, fault: Fault) -> None:
        mend(self._bed, fault)
        if fault.kind in (Kind.UNPATCHED, Kind.OTHER_RAILS, Kind.HOST_DEAD):
            self._restart(fault.hosts[0], patched=True)

    def _restart(self, number: int, *, patched: bool) -> None:
        self._kill(number)
        while f"h{number}" in self.hub.hosts:
            self.hub.hear(0.2)
        self._start(number, patched=patched)

    def _start(self, number: int, *, patched: bool = True) -> None:
        command = [sys.executable, "-m", "fleet_bed.member", str(number)]
        command += [str(len(self._bed.hosts)), f"{SWITCH}:{PORT}", str(self._nixl[patched])]
        tools = str(Path(__file__).parents[1])
        given = environment({"NIXL_STRIPE_TOKEN": self._token.text, "PYTHONPATH": tools})
        self._members[number] = self._bed.start(number, command, given, f"h{number}")

    def _gather(self) -> None:
        self.hub.gather(_GATHER_S)
        if len(self.hub.hosts) != len(self._bed.hosts):
            raise TimeoutError(f"not there: {', '.join(self.hub.absent)}; {self.log[-3:]}")

    def _signal(self, number: int) -> None:
        os.killpg(self._members[number].pid, signal.SIGKILL)

    def _kill(self, number: int) -> None:
        process = self._members.pop(number)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0)
