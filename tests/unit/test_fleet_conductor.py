# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs meet as soon as both are free; who dies or fails costs its own pairs."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from fake_hall import Answer, FakeHall, healthy
from nixl_stripe.fleet import conductor as module
from nixl_stripe.fleet.conductor import Conductor, Meeting
from nixl_stripe.fleet.course import Course, Terms, course
from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.model import HostFacts, Kind, Transfer
from nixl_stripe.fleet.schedule import all_pairs
from nixl_stripe.fleet.sweep import Plan, sweep

HOSTS = [f"h{number}" for number in range(8)]
FACTS = {host: HostFacts(host, tuple(f"rail{at}" for at in range(4)), rails=4) for host in HOSTS}


def no_card(host: str) -> Message:
    del host
    return {}


def run(
    answer: Answer, seed: int = 0, ops: tuple[str, ...] = ("WRITE",)
) -> tuple[list[Transfer], FakeHall, Conductor]:
    hall = FakeHall(answer, seed)
    terms = Terms(ops, 1.0, lambda host: {"of": host})

    def course_of(meeting: Meeting) -> Course:
        return course(meeting.pair, meeting.number, terms)

    made = Conductor(hall, course_of, 1.0)
    rounds = all_pairs(HOSTS)
    meetings = [Meeting(at, pair) for at, pairs in enumerate(rounds) for pair in pairs]
    return made.run(meetings), hall, made


@pytest.mark.parametrize("seed", range(5))
def test_every_two_meet_once_each_way_asked_for(seed: int) -> None:
    found, hall, _ = run(healthy(), seed, ("WRITE", "READ"))
    assert not [each for each in found if each.error or each.lost]
    met = Counter((each.hosts, each.op) for each in found)
    assert set(met.values()) == {1}
    assert len(met) == 2 * len(list(itertools.combinations(HOSTS, 2)))
    assert hall.most_at_once == len(HOSTS)  # four pairs, both ends at work
    assert all(sum(each.sent.values()) == 4 << 20 for each in found)


def test_a_host_has_one_partner_at_a_time() -> None:
    busy: dict[str, int] = {}
    good = healthy()

    def answer(host: str, order: Message) -> Message | None:
        if order["kind"] == "ready":
            assert busy.setdefault(host, order["stamp"]) == order["stamp"]
        elif order["kind"] == "check":
            busy.pop(host)
        return good(host, order)

    run(answer)


def test_the_receiver_checks_and_what_it_finds_is_the_error() -> None:
    good = healthy()

    def answer(host: str, order: Message) -> Message | None:
        said = good(host, order)
        if host == "h3" and order["kind"] == "check":
            return {**(said or {}), "error": "PayloadMismatchError: byte 7"}
        return said

    found, _, _ = run(answer)
    bad = [each for each in found if each.error]
    assert len(bad) == 7
    assert {each.error for each in bad} == {"PayloadMismatchError: byte 7"}


@pytest.mark.parametrize("when", ["ready", "move", "check"])
def test_a_host_that_dies_costs_its_pairs_only_bad_flow(when: str) -> None:
    good, left = healthy(), [3]

    def answer(host: str, order: Message) -> Message | None:
        if host == "h5" and order["kind"] == when:
            left[0] -= 1
            if left[0] < 0:
                return None
        return good(host, order)

    found, _, made = run(answer)
    assert made.lost == {"h5": "h5 fell"}
    bad = [each for each in found if each.lost]
    assert bad
    assert all(list(each.lost) == ["h5"] and "h5" in each.hosts for each in bad)
    assert sum(not each.lost for each in found if "h5" not in each.hosts) == 21
    result = sweep(FakeHall(answer), FACTS, no_card, Plan(("WRITE",), 1, 1.0), print)
    assert [(each.kind, each.hosts) for each in result.findings] == [(Kind.HOST_DEAD, ("h5",))]


def test_a_host_that_never_answers_is_waited_for_once_bad_flow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a clock that goes on only while nobody has anything to say."""
    good = healthy()

    class Deaf(FakeHall):
        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def tell(self, host: str, order: Message) -> None:
            if host != "h2":
                super().tell(host, order)

        def hear(self, limit_s: float) -> list[tuple[str, Message | None]]:
            found = super().hear(limit_s)
            self.now += 0.0 if found else limit_s
            return found

    hall = Deaf(good)
    monkeypatch.setattr(module, "time", hall)
    terms = Terms(("WRITE",), 1.0, no_card)
    made = Conductor(hall, lambda each: course(each.pair, each.number, terms), 1.0)
    rounds = all_pairs(HOSTS)
    found = made.run([Meeting(at, pair) for at, pairs in enumerate(rounds) for pair in pairs])
    assert list(made.lost) == ["h2"]
    assert made.lost["h2"] == "it did not answer for 21 s"
    assert hall.now == 21.0  # once, not in each of its pairs
    assert {host for each in found for host in each.lost} == {"h2"}


def test_an_answer_that_comes_after_all_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    good = healthy()

    class Twice(FakeHall):
        def hear(self, limit_s: float) -> list[tuple[str, Message | None]]:
            found = super().hear(limit_s)
            return found + found

    terms = Terms(("WRITE",), 1.0, no_card)
    made = Conductor(Twice(good), lambda each: course(each.pair, each.number, terms), 1.0)
    (done,) = made.run([Meeting(0, ("h0", "h1"))])
    assert not done.error


def test_nics_that_do_not_answer_before_the_meeting_are_in_the_transfer_bad_flow() -> None:
    good = healthy()

    def answer(host: str, order: Message) -> Message | None:
        if order["kind"] == "ready" and order["initiates"]:
            return {"error": "NICs do not answer", "unreachable": [2], "down": ["rail2"]}
        assert order["kind"] == "ready"  # nothing is moved then
        return good(host, order)

    found, _, _ = run(answer)
    assert {tuple(each.unreachable) for each in found} == {(2,)}
    assert all((each.sender, "rail2") in each.down for each in found)


def test_an_unfinished_transfer_is_said_to_the_one_that_may_be_written_to() -> None:
    good, said = healthy(), []

    def answer(host: str, order: Message) -> Message | None:
        if order["kind"] == "move":
            return {"error": "TimeoutError: late", "seconds": 1.0}
        if order["kind"] == "check":
            said.append(order["failed"])
        return good(host, order)

    found, _, _ = run(answer)
    assert all(each.error == "TimeoutError: late" for each in found)
    assert all(said)


def test_many_failures_of_one_host_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FAILED", 3)
    good = healthy()

    def answer(host: str, order: Message) -> Message | None:
        if order["kind"] == "move" and host == "h1":
            return {"error": "NIXL_ERR_BACKEND"}
        if order["kind"] == "ready" and not order["initiates"] and host == "h1":
            return {"error": "NIXL_ERR_BACKEND"}
        return good(host, order)

    found, _, made = run(answer)
    assert sum(bool(each.error) for each in found) == 3
    assert made.left_out == 4
    assert len(found) == 28 - 4


def test_a_slow_pair_is_measured_again() -> None:
    good = healthy()

    def answer(host: str, order: Message) -> Message | None:
        said = good(host, order)
        if order["kind"] == "move" and host == "h1" and said:
            busy = {f"rail{at}": 0.5 if at == 2 else 0.1 for at in range(4)}
            return {**said, "seconds": 0.5, "busy_s": busy}
        return said

    lines: list[str] = []
    hall = FakeHall(answer)
    plan = Plan(("WRITE", "READ"), 1 << 20, 1.0)
    pair_facts = {host: FACTS[host] for host in HOSTS}
    result = sweep(hall, pair_facts, no_card, plan, lines.append)
    # Where h1 is the target it is not slow: nobody is accused of what was quick once.
    assert result.ok
    assert result.rounds == 7
    assert any("8 hosts, 7 rounds of 4 pairs; each host moves 28 MiB" in line for line in lines)


def test_a_host_that_is_slow_at_both_ends_is_found_after_a_repeat() -> None:
    good, meets = healthy(), dict[str, int]()

    def answer(host: str, order: Message) -> Message | None:
        said = good(host, order)
        if order["kind"] == "ready":
            meets[host] = order["stamp"]
        if order["kind"] == "move" and said and meets[host] == meets["h1"]:
            busy = {f"rail{at}": 0.5 if at == 2 else 0.1 for at in range(4)}
            return {**said, "seconds": 0.5, "busy_s": busy}
        return said

    result = sweep(FakeHall(answer), FACTS, no_card, Plan(("WRITE",), 1, 1.0), print)
    (only,) = result.findings
    assert (only.kind, only.hosts, only.nics) == (Kind.NIC_SLOW, ("h1",), ("rail2",))
    again = [each for each in result.transfers if each.is_repeat]
    # Each of its pairs, and beside each another one of the same round, twice.
    assert sum("h1" in each.hosts for each in again) == sum(
        "h1" not in each.hosts for each in again
    )
    assert len(again) == 2 * 2 * 7


def test_two_hosts_that_miss_each_other_once_are_no_finding() -> None:
    """Nor those whose datagrams were late: they meet again before anybody is accused."""
    good, met = healthy(), Counter[tuple[str, str]]()

    def run_with(times: int) -> list[Kind]:
        met.clear()
        peers: dict[str, str] = {}

        def answer(host: str, order: Message) -> Message | None:
            if order["kind"] == "ready" and order["initiates"]:
                peers[host] = order["peer"]["of"]
                met[host, peers[host]] += 1
                if {host, peers[host]} == {"h2", "h4"} and met[host, peers[host]] <= times:
                    return {"error": "NICs do not answer", "unreachable": [1]}
            return good(host, order)

        plan = Plan(("WRITE",), 1, 1.0)
        result = sweep(FakeHall(answer), FACTS, lambda host: {"of": host}, plan, print)
        return [each.kind for each in result.findings]

    assert run_with(0) == []
    assert run_with(1) == []
    assert run_with(99) == [Kind.ROUTE]


def test_lanes_that_the_first_transfer_told_are_the_pairs() -> None:
    good, told = healthy(), set[str]()

    def answer(host: str, order: Message) -> Message | None:
        said = good(host, order) or {}
        if order["kind"] == "move" and host not in told:
            told.add(host)
            return {**said, "lanes": {"rail0": 1.0}}
        return said

    found, _, _ = run(answer)
    assert sum(bool(each.lanes) for each in found) == len(told) >= 4
