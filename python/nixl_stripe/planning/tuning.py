# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which sets of NICs to measure to find the one that carries most, in a given number of tries."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from nixl_stripe.planning.faults import (
    Fault,
    Nics,
    Places,
    drawn,
    most_each,
    possible,
    short_sets,
)

#: Draws of faults for each choice of a set.
_DRAWS = 16
#: A set that cannot carry this many times the best one is not worth a measurement.
_WORTH = 1.01
#: One that is expected to carry this part of it is, a few times.
_ALIKE = 0.98
#: Sets that carry this part of the best one, or more, are measured again.
_CLOSE = 0.95
#: Times that one of the closest sets is measured.
_TIMES = 4
#: Measurements that are kept for that.
_KEPT = 4

Measure = Callable[[Nics], float]


@dataclass
class Search:
    """The measurements of one memory.

    measure: what a set carries, Gbit/s. budget: how often it may be called.
    """

    places: Places
    measure: Measure
    budget: int
    known: frozenset[tuple[str, Nics]] = frozenset()
    first: tuple[Nics, ...] = ()
    seen: dict[Nics, list[float]] = field(default_factory=dict)
    used: int = 0
    spare: int = 6
    _draw: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def rates(self) -> dict[Nics, float]:
        """What each set that was measured carries, the mean of its measurements."""
        return {nics: sum(values) / len(values) for nics, values in self.seen.items()}

    def run(self) -> dict[Nics, float]:
        """Measure what is worth it and return what each set carries."""
        for first in self._beginning():
            self._take(first)
        while self.used < self.budget:
            nics = self._next() if self.used < self.budget - _KEPT else None
            nics = nics or self._unsure()
            if nics is None:
                break
            self._measure(nics)
        return self.rates

    def faults(self) -> frozenset[tuple[str, Nics]]:
        """Return what holds up sets, as far as this was found, for the search of another memory."""
        rates = self.rates
        found = possible(self.places, rates)
        draws = [drawn(found, rates, short_sets(rates), self._draw, self.known) for _ in range(8)]
        often = [(fault.kind, fault.nics) for faults in draws for fault in faults]
        return frozenset(each for each in often if often.count(each) > len(draws) // 2)

    def _take(self, nics: Nics) -> None:
        if nics and nics not in self.seen and self.used < self.budget - _KEPT:
            self._measure(nics)

    def _measure(self, nics: Nics) -> None:
        self.used += 1
        self.seen.setdefault(nics, []).append(self.measure(nics))

    def _beginning(self) -> Iterator[Nics]:
        """Each NIC alone, all that are alike together, and what was best elsewhere."""
        yield from (frozenset([nic]) for nic in range(self.places.count))
        rates = self.rates
        for group in chain((self.places.all,), self.places.kinds):
            best = max(rates[frozenset([nic])] for nic in group)
            yield frozenset(nic for nic in group if rates[frozenset([nic])] >= 0.6 * best)
        yield from self.first

    def _next(self) -> Nics | None:
        """Return the set that is expected to carry most by what was drawn; None: no more."""
        best = self._promising(_WORTH)
        if best is None and self.spare > 0:  # what is within the noise of the best
            self.spare -= 1
            best = self._promising(_ALIKE)
        return best

    def _promising(self, worth: float) -> Nics | None:
        rates = self.rates
        least = worth * max(rates.values())
        found, short = possible(self.places, rates), short_sets(rates)
        draws = [drawn(found, rates, short, self._draw, self.known) for _ in range(_DRAWS)]
        sets = {each for faults in draws for each in self._good(faults, rates)}
        best, most = None, 0.0
        for nics in sorted(sets - rates.keys(), key=sorted):
            bound = len(nics) * most_each(nics, rates)
            if bound >= least:
                hopes = (len(nics) * _each(nics, faults) for faults in draws)
                gain = sum(max(0.0, min(bound, hope) - least) for hope in hopes)
                if gain > most:
                    best, most = nics, gain
        return best if best is not None else self._beside(least)

    def _good(self, faults: list[Fault], rates: dict[Nics, float]) -> Iterable[Nics]:
        """Return sets that carry most with these faults: for every rate, the most NICs of it."""
        alone = [rates[frozenset([nic])] for nic in range(self.places.count)]
        levels = set(alone)
        for fault in faults:
            parts = range(1, len(fault.nics) + 1) if fault.kind == "shared" else (1,)
            levels.update(fault.gbps / part for part in parts)
        sets = {
            self._fitting(level, [nic for nic in kind if alone[nic] >= 0.99 * level], faults)
            for level in levels
            for kind in (*self.places.kinds, self.places.all)
        }
        worth = sorted(
            (each for each in sets if each),
            key=lambda each: -len(each) * min(_each(each, faults), most_each(each, rates)),
        )
        return worth[:3]

    def _fitting(self, level: float, nics: list[int], faults: list[Fault]) -> Nics:
        self._draw.shuffle(nics)
        nics.sort(key=lambda nic: sum(nic in fault.nics for fault in faults))
        taken: Nics = frozenset()
        for nic in nics:
            if _each(taken | {nic}, faults) >= 0.99 * level:
                taken |= {nic}
        return taken

    def _beside(self, least: float) -> Nics | None:
        """Return the most promising set that differs from one of the best by one or two NICs."""
        rates = self.rates
        best, most = None, least
        for start in sorted(rates, key=lambda each: -rates[each])[:3]:
            for nics in _neighbours(start, self.places.all):
                bound = len(nics) * most_each(nics, rates)
                if nics not in rates and bound > most:
                    best, most = nics, bound
        return best

    def _unsure(self) -> Nics | None:
        """Return the set among the best ones that was measured least; None: they are told apart."""
        rates = self.rates
        most = max(rates.values())
        close = [nics for nics, rate in rates.items() if rate >= _CLOSE * most]
        open_ = [nics for nics in close if len(self.seen[nics]) < _TIMES]
        if len(close) < 2:
            return None
        return min(open_, key=lambda nics: (len(self.seen[nics]), -rates[nics]), default=None)


def _each(nics: Nics, faults: list[Fault]) -> float:
    return min((fault.each(nics) for fault in faults), default=float("inf"))


def _neighbours(nics: Nics, every: Nics) -> Iterator[Nics]:
    for one in sorted(every - nics):
        yield nics | {one}
    for one in sorted(nics):
        yield nics - {one}
        for other in sorted(every - nics):
            yield nics - {one} | {other}
