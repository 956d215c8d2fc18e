# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""From simulated fleets with faults to the culprits: the right ones, and nobody else."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections import Counter

import pytest
from fleet_bed import faults
from nixl_stripe.fleet.findings import findings
from nixl_stripe.fleet.model import HostFacts, Kind, Transfer
from nixl_stripe.fleet.schedule import all_pairs, rounds_for, sample
from simulated_fleet import Fault, SimulatedFleet

KINDS = (*faults.KINDS, Kind.OTHER_VERSION)
Named = tuple[Kind, tuple[str, ...], tuple[str, ...]]


def drawn(kind: Kind, hosts: list[str], rails: int, chance: random.Random) -> Fault:
    ends = 2 if kind is Kind.ROUTE else 1
    nics = {Kind.SWAPPED_CABLES: 2, Kind.NIC_DOWN: 1, Kind.NIC_SLOW: 1, Kind.ROUTE: 1}.get(kind, 0)
    return Fault(
        kind,
        tuple(sorted(chance.sample(hosts, ends))),
        tuple(sorted(chance.sample(range(rails), nics))),
    )


def named(fault: Fault) -> Named:
    return fault.kind, fault.hosts, tuple(f"rail{at}" for at in fault.nics)


def found(fleet: SimulatedFleet) -> set[Named]:
    done = findings(fleet.facts(), fleet.run(all_pairs(fleet.hosts)))
    return {(each.kind, each.hosts, each.nics) for each in done}


def test_a_healthy_fleet_has_no_findings() -> None:
    for seed in range(40):
        for count in (4, 5, 8, 16):
            assert found(SimulatedFleet(count, seed=seed)) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_one_fault_is_found_and_nothing_else(kind: Kind) -> None:
    good = bad = missed = 0
    for seed in range(60):
        chance = random.Random(seed)
        fleet = SimulatedFleet(8, seed=seed)
        fault = drawn(kind, fleet.hosts, fleet.rails, chance)
        fleet.faults = [fault]
        got = found(fleet)
        good += named(fault) in got
        missed += named(fault) not in got
        bad += len(got - {named(fault)})
    assert good / (good + bad) >= 0.98, (good, bad)
    assert good / (good + missed) >= 0.98, (good, missed)


def test_two_faults_at_once() -> None:
    tally: Counter[str] = Counter()
    for seed in range(200):
        chance = random.Random(seed)
        fleet = SimulatedFleet(16, seed=seed)
        first, second = (
            drawn(kind, fleet.hosts, fleet.rails, chance) for kind in chance.choices(KINDS, k=2)
        )
        if set(first.hosts) & set(second.hosts):
            continue  # one hides the other
        fleet.faults = [first, second]
        got, right = found(fleet), {named(first), named(second)}
        tally["good"] += len(got & right)
        tally["bad"] += len(got - right)
        tally["missed"] += len(right - got)
    assert tally["good"] / (tally["good"] + tally["bad"]) >= 0.98, tally
    assert tally["good"] / (tally["good"] + tally["missed"]) >= 0.98, tally


def test_a_sample_of_a_large_fleet_finds_what_is_wrong_in_it() -> None:
    """1000 hosts: schedule, analysis and memory stay small."""
    fleet = SimulatedFleet(1000, seed=1)
    begun = time.process_time()
    rounds = sample(fleet.hosts, rounds_for(1000, culprits=5, missed=0.001), seed=7)
    assert time.process_time() - begun < 1
    fleet.faults = [
        Fault(Kind.NIC_DOWN, ("h17",), (2,)),
        Fault(Kind.NIC_SLOW, ("h400",), (0,)),
        Fault(Kind.UNPATCHED, ("h801",)),
        Fault(Kind.HOST_DEAD, ("h999",)),
        Fault(Kind.SWAPPED_CABLES, ("h5",), (1, 3)),
    ]
    facts, transfers = fleet.facts(), fleet.run(rounds)
    tracemalloc.start()
    begun = time.process_time()
    done = findings(facts, transfers)
    seconds, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {(each.kind, each.hosts, each.nics) for each in done} == set(map(named, fleet.faults))
    assert seconds < 10
    assert peak < 1 << 30


def test_wrong_bytes_are_said_first_after_what_is_certain() -> None:
    error = "PayloadMismatchError: byte 17 of buffer 0"
    facts = [HostFacts(host, ("rail0",), rails=1) for host in ("a", "b")]
    (only,) = findings(facts, [Transfer(0, "a", "b", "WRITE", error=error)])
    assert (only.kind, only.culprit) == (Kind.WRONG_BYTES, "a-b")


def test_a_failure_that_nothing_explains_is_said_as_it_is_bad_flow() -> None:
    fleet = SimulatedFleet(4, seed=3)
    done = fleet.run(all_pairs(fleet.hosts))
    done[0] = Transfer(0, done[0].sender, done[0].receiver, "WRITE", error="NIXL_ERR_BACKEND")
    (only,) = findings(fleet.facts(), done)
    assert only.kind is Kind.FAILED
    assert "NIXL_ERR_BACKEND" in only.evidence


def test_a_host_that_never_came_is_told_from_one_that_went_away() -> None:
    fleet = SimulatedFleet(4, faults=[Fault(Kind.HOST_DEAD, ("h3",))])
    done = fleet.run(all_pairs(fleet.hosts))
    (went,) = findings(fleet.facts(), done)
    (never,) = findings(fleet.facts()[:3], [each for each in done if not each.lost], ["h3"])
    assert (went.hosts, never.hosts) == (("h3",), ("h3",))
    assert went.evidence != never.evidence
