# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A fleet that exists only in numbers, with faults of each kind, and noise as on busy machines."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nixl_stripe.fleet.findings import worth_repeating
from nixl_stripe.fleet.model import HostFacts, Kind, Transfer
from nixl_stripe.fleet.schedule import Pair

PAYLOAD = 4 << 20


@dataclass(frozen=True)
class Fault:
    """What is wrong; nics: places in the plan."""

    kind: Kind
    hosts: tuple[str, ...]
    nics: tuple[int, ...] = ()


@dataclass
class SimulatedFleet:
    """Hosts `h0`..., each with NICs `rail0`... on a network of its own.

    noise: the sigma of a lognormal factor of each time; one pair in fifty takes four times as long,
    as where a scheduler looked away.
    """

    count: int
    rails: int = 4
    faults: Sequence[Fault] = ()
    seed: int = 0
    noise: float = 0.08
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    @property
    def hosts(self) -> list[str]:
        return [f"h{number}" for number in range(self.count)]

    def facts(self) -> list[HostFacts]:
        """Return what the hosts say that come."""
        return [
            HostFacts(
                host,
                tuple(f"rail{at}" for at in range(self.rails)),
                rails=self._rails(host),
                patched=not self._has(Kind.UNPATCHED, host),
                alike={"ucx": "1.22.0" if self._has(Kind.OTHER_VERSION, host) else "1.23.0"},
            )
            for host in self.hosts
        ]

    def _rails(self, host: str) -> int:
        odd = self._has(Kind.OTHER_RAILS, host) or self._has(Kind.UNPATCHED, host)
        return 2 if odd else self.rails

    def run(self, rounds: Iterable[Sequence[Pair]]) -> list[Transfer]:
        """Return each round's transfers, and repeats of those that were slow."""
        done = [
            self._transfer(number, pair) for number, pairs in enumerate(rounds) for pair in pairs
        ]
        again = [
            self._transfer(each.number, (each.sender, each.receiver), is_repeat=True)
            for each in worth_repeating(self.facts(), done)
        ]
        return done + again

    def _transfer(self, number: int, pair: Pair, is_repeat: bool = False) -> Transfer:
        sender, receiver = pair
        common: dict[str, Any] = {"is_repeat": is_repeat, "down": self._down(pair)}
        lost = [host for host in pair if self._has(Kind.HOST_DEAD, host)]
        if lost:
            return Transfer(number, *pair, "WRITE", error="the other end went away", lost=lost)
        silent = sorted(self._silent(pair))
        used = [at for at in range(self._rails(sender)) if at not in silent]
        if silent:
            error = "NIXL_ERR_REMOTE_DISCONNECT"
            return Transfer(
                number, sender, receiver, "WRITE", error=error, unreachable=silent, **common
            )
        each = PAYLOAD // len(used)
        nics = {f"rail{at}": each for at in used}
        busy = {f"rail{at}": self._seconds(pair, at, len(used)) for at in range(self.rails)}
        seconds = max(busy.values()) * self._hiccup()
        return Transfer(
            number,
            sender,
            receiver,
            "WRITE",
            sent=nics,
            received=nics,
            seconds=seconds,
            busy_s=busy,
            **common,
        )

    def _down(self, pair: Pair) -> list[tuple[str, str]]:
        return [
            (host, f"rail{at}")
            for fault in self.faults
            for host in fault.hosts
            for at in fault.nics
            if fault.kind is Kind.NIC_DOWN and host in pair
        ]

    def _silent(self, pair: Pair) -> set[int]:
        places: set[int] = set()
        for fault in self.faults:
            is_here = (
                set(fault.hosts) == set(pair)
                if fault.kind is Kind.ROUTE
                else bool(set(fault.hosts) & set(pair))
            )
            if is_here and fault.kind in (Kind.ROUTE, Kind.NIC_DOWN, Kind.SWAPPED_CABLES):
                places |= set(fault.nics)
        return places

    def _seconds(self, pair: Pair, at: int, used: int) -> float:
        slow = 1.0
        for fault in self.faults:
            if fault.kind is Kind.NIC_SLOW and fault.hosts[0] in pair and at in fault.nics:
                slow = 2.0
        return 0.1 / used * slow * self._chance.lognormvariate(0, self.noise)

    def _hiccup(self) -> float:
        return 4.0 if self._chance.random() < 0.02 else 1.0

    def _has(self, kind: Kind, host: str) -> bool:
        return any(fault.kind is kind and host in fault.hosts for fault in self.faults)
