# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which NICs `bench fail` cuts, when and how: random, reproducible, every pair of factors early."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nixl_stripe.lab.cut import KINDS, WHERES, Cut, Kind, Where
from nixl_stripe.lab.job import Op

#: One large buffer, mixed tensors, many small ones.
LOADS = ("one", "mixed", "small")
_MIXED = 290
_SMALL = 4 << 10
_MOST_SMALL = 3000
#: Candidates of which the one is taken that brings most pairs that were not there yet.
_CANDIDATES = 40
#: One cut of so many is within the first 30 % of the bytes, and one is silent.
_EVERY = 4
_EARLY = 0.3
_LATEST = 0.9


@dataclass(frozen=True)
class Fault:
    """One cut of a run. at: part of a NIC's bytes that were sent before it, 0 to 1."""

    number: int
    op: Op
    load: str
    kind: Kind
    where: Where
    nics: tuple[int, ...]
    at: float
    back_after_s: float | None

    def cut(self, total_bytes: int, nic_count: int) -> Cut:
        """Return what the bed is to do in a transfer of so many bytes over so many NICs."""
        return Cut(
            nics=self.nics,
            after_bytes=round(self.at * total_bytes / nic_count),
            sender="initiator" if self.op == "WRITE" else "target",
            where=self.where,
            kind=self.kind,
            back_after_s=self.back_after_s,
        )


def sizes(load: str, total_bytes: int) -> tuple[int, ...]:
    """Return the buffers of a load, in bytes, about `total_bytes` in all."""
    if load == "one":
        return (total_bytes,)
    if load == "small":
        return (_SMALL,) * max(1, min(_MOST_SMALL, total_bytes // _SMALL))
    if load != "mixed":
        raise ValueError(f"load={load!r}: accepted are {', '.join(LOADS)}")
    parts = [random.Random(number).uniform(0.1, 1.9) for number in range(_MIXED)]
    return tuple(max(8, round(total_bytes * part / sum(parts) / 8) * 8) for part in parts)


def faults(
    count: int, seed: int, ops: Sequence[Op], nic_count: int, reads_over: tuple[int, ...] = ()
) -> Iterator[Fault]:
    """Yield `count` faults; the same for the same arguments, and the first of more.

    reads_over: NICs that each cut of a READ takes, with others or alone, where it uses no more.
    """
    if nic_count < 2:
        raise ValueError(f"{nic_count} NIC: accepted are 2 and more, one of them must stay alive")
    dice = random.Random(seed)
    seen: set[Any] = set()
    for number in range(count):
        best = max(
            (_candidate(number, dice, ops, nic_count, reads_over) for _ in range(_CANDIDATES)),
            key=lambda fault: len(_pairs(fault) - seen),
        )
        seen |= _pairs(best)
        yield best


def _candidate(
    number: int,
    dice: random.Random,
    ops: Sequence[Op],
    nic_count: int,
    reads_over: tuple[int, ...],
) -> Fault:
    is_early = number % _EVERY == 0
    is_silent = number % _EVERY == 1
    lost = dice.randint(1, nic_count - 1)
    op = dice.choice(ops)
    chosen = reads_over if op == "READ" else ()
    others = [nic for nic in range(nic_count) if nic not in chosen]
    return Fault(
        number=number,
        op=op,
        load=dice.choice(LOADS),
        kind="silent" if is_silent else dice.choice(KINDS),
        where=dice.choice(WHERES),
        nics=tuple(sorted({*chosen, *dice.sample(others, max(0, lost - len(chosen)))})),
        at=round(dice.uniform(0.02, _EARLY if is_early else _LATEST), 3),
        back_after_s=dice.choice((None, None, round(dice.uniform(0.2, 3), 2))),
    )


def _pairs(fault: Fault) -> set[Any]:
    """Return each two factors of a fault with their values."""
    factors = {
        "op": fault.op,
        "load": fault.load,
        "kind": fault.kind,
        "where": fault.where,
        "lost": len(fault.nics),
        "early": fault.at < _EARLY,
        "back": fault.back_after_s is not None,
    }
    return set(itertools.combinations(factors.items(), 2))
