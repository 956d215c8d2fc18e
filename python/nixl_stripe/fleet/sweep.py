# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A run over a fleet: facts compared, every pair once, what is slow again, and the findings."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nixl_stripe.fleet.conductor import Conductor, Meeting
from nixl_stripe.fleet.course import Course, Terms, course
from nixl_stripe.fleet.findings import findings, worth_repeating
from nixl_stripe.fleet.hall import Hall, Message
from nixl_stripe.fleet.model import Finding, HostFacts, Transfer
from nixl_stripe.fleet.outliers import outliers
from nixl_stripe.fleet.schedule import Pair, all_pairs, sample

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a run does. ops: READ, WRITE; size: bytes of a transfer; limit_s: seconds of one.

    rounds: None for all, so that every two hosts meet; else so many of them, of hosts in an order
    that `seed` draws.
    """

    ops: Sequence[str]
    size: int
    limit_s: float = 20.0
    rounds: int | None = None
    seed: int = 0

    def schedule(self, hosts: Sequence[str]) -> list[list[Pair]]:
        """Return the rounds."""
        if self.rounds is None:
            return all_pairs(hosts)
        return sample(hosts, self.rounds, self.seed)

    def cost(self, hosts: int, rounds: int) -> str:
        """Return what it takes at most, in words."""
        moved = 2 * len(self.ops) * self.size * rounds
        seconds = 2 * len(self.ops) * self.limit_s * rounds
        return (
            f"{hosts} hosts, {rounds} rounds of {hosts // 2} pairs; each host moves "
            f"{moved / (1 << 20):.0f} MiB; {seconds:.0f} s at the very most where every transfer "
            "takes its limit"
        )


@dataclass(frozen=True)
class Result:
    """What a run showed; gone: hosts that went away, and why; absent: who never came."""

    plan: Plan
    facts: Sequence[HostFacts]
    rounds: int
    transfers: Sequence[Transfer]
    findings: Sequence[Finding]
    seconds: float
    absent: Sequence[str] = ()
    gone: Mapping[str, str] = field(default_factory=dict)
    left_out: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


_stamps: Iterator[int] = itertools.count(1)


def sweep(
    hall: Hall,
    facts: Mapping[str, HostFacts],
    card_of: Callable[[str], Message],
    plan: Plan,
    say: Say,
    absent: Sequence[str] = (),
) -> Result:
    """Have the hosts of `facts` meet by `plan`, and say what is wrong."""
    begun = time.monotonic()
    hosts = list(facts)
    before = outliers(list(facts.values()))
    for each in before:
        say(f"before any byte: {each.kind.value}: {each.culprit}: {each.evidence}")
    rounds = plan.schedule(hosts)
    say(plan.cost(len(hosts), len(rounds)))
    terms = Terms(plan.ops, plan.limit_s, card_of, stamps=_stamps)

    def course_of(meeting: Meeting) -> Course:
        return course(meeting.pair, meeting.number, terms, is_repeat=meeting.is_repeat)

    def tick(done: int, total: int) -> None:
        if done == total or done % max(1, total // 20) == 0:
            say(f"{done} of {total} pairs")

    conductor = Conductor(hall, course_of, plan.limit_s, tick)
    meetings = [Meeting(at, pair) for at, pairs in enumerate(rounds) for pair in pairs]
    transfers = conductor.run(meetings)
    again = _again(list(facts.values()), transfers)
    if again:
        say(f"{len(again)} pair(s) once more, before anybody is accused")
        transfers += conductor.run(again)
    found = findings(list(facts.values()), transfers, absent)
    return Result(
        plan,
        list(facts.values()),
        len(rounds),
        transfers,
        found,
        time.monotonic() - begun,
        absent,
        conductor.lost,
        conductor.left_out,
    )


def _again(facts: Sequence[HostFacts], transfers: Sequence[Transfer]) -> list[Meeting]:
    """Return the pairs that are worth a repeat; a course repeats each operation."""
    slow = worth_repeating(facts, transfers)
    pairs = {
        (each.number, (each.sender, each.receiver) if each.op == "WRITE" else _turned(each))
        for each in slow
    }
    return [Meeting(number, pair, is_repeat=True) for number, pair in sorted(pairs)]


def _turned(transfer: Transfer) -> Pair:
    return transfer.receiver, transfer.sender
