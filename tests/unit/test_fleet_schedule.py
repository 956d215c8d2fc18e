# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rounds of disjoint pairs: every two hosts meet once, and a sample is regular."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from nixl_stripe.fleet.schedule import all_pairs, rounds_for, sample


@pytest.mark.parametrize("count", [*range(2, 18), 63, 64])
def test_every_two_hosts_meet_once(count: int) -> None:
    hosts = [f"h{number}" for number in range(count)]
    rounds = all_pairs(hosts)
    assert len(rounds) == (count - 1 if count % 2 == 0 else count)
    for pairs in rounds:
        assert len({host for pair in pairs for host in pair}) == 2 * len(pairs) == count - count % 2
    met = Counter(frozenset(pair) for pairs in rounds for pair in pairs)
    assert met == Counter(map(frozenset, itertools.combinations(hosts, 2)))
    firsts = Counter(pair[0] for pairs in rounds for pair in pairs)
    assert max(firsts.values()) - min(firsts[host] for host in hosts) <= 2


def test_nobody_meets_nobody() -> None:
    assert all_pairs([]) == all_pairs(["alone"]) == []


def test_a_sample_is_regular_and_repeats_with_its_seed() -> None:
    hosts = [f"h{number}" for number in range(100)]
    rounds = sample(hosts, 5, seed=1)
    meetings = Counter(host for pairs in rounds for pair in pairs for host in pair)
    assert set(meetings.values()) == {5}
    assert len({frozenset(pair) for pairs in rounds for pair in pairs}) == 5 * 50
    assert rounds == sample(hosts, 5, seed=1) != sample(hosts, 5, seed=2)
    assert len(sample(hosts, 1000, seed=1)) == 99


def test_enough_rounds_for_so_many_culprits() -> None:
    """Each is to meet two good hosts; tried by drawing, beside what the bound says."""
    rounds = rounds_for(1000, culprits=20, missed=0.01)
    assert rounds_for(1000, 1, 0.01) == 2 <= rounds < 10
    hosts = [f"h{number}" for number in range(1000)]
    missed = 0
    for seed in range(50):
        bad = set(random.Random(seed).sample(hosts, 20))
        good: Counter[str] = Counter()
        for one, other in itertools.chain(*sample(hosts, rounds, seed)):
            good[one] += one in bad and other not in bad
            good[other] += other in bad and one not in bad
        missed += any(good[each] < 2 for each in bad)
    assert missed <= 3


def test_a_small_fleet_meets_whole_bad_flow() -> None:
    assert rounds_for(4, culprits=4, missed=0.001) == 3
    assert rounds_for(2, culprits=1, missed=0.5) == 1
