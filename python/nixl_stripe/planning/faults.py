# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What may hold up NICs that are used together, learnt from the sets that were measured.

UCX divides a buffer evenly, so a set of n NICs carries n times what its slowest one does. A fault
is a guess at why that is less than each NIC carries alone: NICs that share a link, two that disturb
each other, near and far ones together. Every fault is as bad as the measurements allow and no
worse; which faults there are is drawn at random among those that explain what was short.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

#: A set of NICs, and what it carried, in Gbit/s.
Nics = frozenset[int]
Rates = Mapping[Nics, float]

#: A set that carries less than this part of what is expected is held up by something.
_SHORT = 0.92
#: A fault explains a set where it allows no more than this many times what the set carried.
_EXPLAINED = 1.07
#: How likely faults of a kind are, beside each other.
_PLAUSIBLE = {"mixed": 6.0, "shared": 3.0, "pair": 1.0, "all": 0.2}


@dataclass(frozen=True)
class Fault:
    """Something that holds up sets.

    kind: "shared": `nics` share a link of `gbps`; "pair": the two carry `gbps` each when both are
    used; "mixed": each NIC of a set with some of `nics` and some others carries `gbps`.
    """

    kind: str
    nics: Nics
    gbps: float

    def each(self, used: Nics) -> float:
        """Return the most that each NIC of a set carries, Gbit/s."""
        inside = len(self.nics & used)
        if self.kind == "shared":
            return self.gbps / inside if inside else float("inf")
        if self.kind == "pair":
            return self.gbps if inside == len(self.nics) else float("inf")
        return self.gbps if 0 < inside < len(used) else float("inf")


@dataclass(frozen=True)
class Places:
    """What the machine says of its NICs, for one memory.

    count: NICs, which are called 0 to count - 1. groups: those that share a switch, host bridge or
    socket. near: those that reach the memory without a host bridge; empty: all alike.
    """

    count: int
    groups: tuple[Nics, ...] = ()
    near: Nics = frozenset()

    @property
    def all(self) -> Nics:
        """Every NIC."""
        return frozenset(range(self.count))

    @property
    def kinds(self) -> tuple[Nics, ...]:
        """The NICs that are alike: near ones and far ones."""
        parts = (self.near & self.all, self.all - self.near)
        return tuple(part for part in parts if part)

    def shared(self) -> tuple[Nics, ...]:
        """Return every group that may share a link, with what is near or far of it."""
        whole = [self.all, *self.groups]
        parts = [group & kind for group in whole for kind in self.kinds]
        return tuple(dict.fromkeys(each for each in [*whole, *parts] if len(each) > 1))


def most_each(used: Nics, rates: Rates) -> float:
    """Return the most that each NIC of a set can carry by what was measured of sets within it."""
    return min((rate / len(part) for part, rate in rates.items() if part <= used), default=0.0)


def possible(places: Places, rates: Rates) -> list[Fault]:
    """Return every fault that would hold something up, each as bad as was measured."""
    found = []
    for group in places.shared():
        gbps = max(rate * len(part & group) / len(part) for part, rate in rates.items())
        found.append(Fault("shared", group, gbps))
    for pair in combinations(range(places.count), 2):
        both = [rate / len(part) for part, rate in rates.items() if part.issuperset(pair)]
        if both:
            found.append(Fault("pair", frozenset(pair), max(both)))
    if len(places.kinds) > 1:
        mixed = [
            rate / len(part)
            for part, rate in rates.items()
            if 0 < len(part & places.near) < len(part)
        ]
        if mixed:
            found.append(Fault("mixed", places.near, max(mixed)))
    return found


def short_sets(rates: Rates) -> list[Nics]:
    """Return the sets that carry less than the sets within them allow."""
    return [
        part
        for part, rate in rates.items()
        if len(part) > 1
        and rate
        < _SHORT * len(part) * most_each(part, {k: v for k, v in rates.items() if k < part})
    ]


def drawn(
    faults: Sequence[Fault],
    rates: Rates,
    short: Iterable[Nics],
    draw: random.Random,
    known: Iterable[tuple[str, Nics]] = (),
) -> list[Fault]:
    """Draw faults that explain every short set together. known: those of other memories."""
    left = list(short)
    draw.shuffle(left)
    likely = set(known)
    limits = {part: _EXPLAINED * rates[part] / len(part) for part in left}
    # Of two explanations the one that explains more is the likelier.
    explained = {
        fault: sum(fault.each(part) <= limit for part, limit in limits.items()) for fault in faults
    }
    chosen: list[Fault] = []
    for part in left:
        allowed = limits[part]
        if any(fault.each(part) <= allowed for fault in chosen):
            continue
        fitting = [fault for fault in faults if fault.each(part) <= allowed]
        weights = [
            _PLAUSIBLE[fault.kind]
            * explained[fault] ** 2
            * (8.0 if (fault.kind, fault.nics) in likely else 1.0)
            for fault in fitting
        ]
        whole = Fault("shared", part, rates[part])
        chosen += draw.choices([*fitting, whole], [*weights, _PLAUSIBLE["all"]])
    return chosen
