# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who meets whom: rounds of disjoint pairs, so that no host is measured with two at a time."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

Pair = tuple[str, str]


def all_pairs(hosts: Sequence[str]) -> list[list[Pair]]:
    """Return rounds in which every two hosts meet exactly once.

    n hosts take n - 1 rounds of n / 2 pairs; an odd number takes n rounds, in each of which another
    host rests. The first of a pair is its initiator; each host is that in half of its pairs, give
    or take one. (The circle method: one place is fixed, the others go round.)
    """
    return [_round(hosts, number) for number in range(_rounds(hosts))]


def _rounds(hosts: Sequence[str]) -> int:
    return 0 if len(hosts) < 2 else len(hosts) - 1 + len(hosts) % 2


def _round(hosts: Sequence[str], number: int) -> list[Pair]:
    places: list[str | None] = [*hosts, *([None] if len(hosts) % 2 else [])]
    turn = len(places) - number
    places = [places[0], *places[turn:], *places[1:turn]]
    pairs: list[Pair] = []
    for at in range(len(places) // 2):
        first, second = places[at], places[-1 - at]
        if first is not None and second is not None:
            # The fixed place, and each other, takes turns at both roles.
            turned = number % 2 if at == 0 else at % 2
            pairs.append((second, first) if turned else (first, second))
    return pairs


def sample(hosts: Sequence[str], rounds: int, seed: int) -> list[list[Pair]]:
    """Return some rounds of all of them, of hosts in a random order.

    The graph of those who meet is random and regular: each host meets `rounds` others, one fewer
    where it rests. The same seed gives the same rounds.
    """
    shuffled = list(hosts)
    chance = random.Random(seed)
    chance.shuffle(shuffled)
    every = _rounds(shuffled)
    return [_round(shuffled, each) for each in chance.sample(range(every), min(rounds, every))]


def rounds_for(hosts: int, culprits: int, missed: float) -> int:
    """Return how many rounds find each of some bad hosts with at most this probability of a miss.

    A bad host is told from its peers by pairs with good ones: two of them, as one may be the peer's
    fault. A round pairs it with another bad host with probability (culprits - 1) / (hosts - 1); a
    union bound over the culprits is kept below `missed`. culprits: at least 1; 0 < missed < 1.
    """
    bad = max(0, culprits - 1) / max(1, hosts - 1)
    for rounds in range(2, hosts):
        few = bad**rounds + rounds * (1 - bad) * bad ** (rounds - 1)
        if culprits * few <= missed:
            return rounds
    return max(1, hosts - 1)


def seconds_of(rounds: int, per_pair_s: float) -> int:
    """Return how long so many rounds take at most, in whole seconds."""
    return math.ceil(rounds * per_pair_s)
