# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who comes into a fleet, who is turned away, and what the hub makes of what they say."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.fleet.hub import Hub, check_reachable
from nixl_stripe.fleet.member import Member
from nixl_stripe.fleet.messages import TO_HOST, Request
from nixl_stripe.fleet.rank import Rank
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.remote import Address, Link, LinkLostError, Token, connect

TOKEN = Token("a-token-of-the-tests-0123456789")
KEY = TOKEN.key()
OTHER = Token("another-token-of-the-tests-0123").key()
REQUEST = Request(4096, "dram", {"stripe": "all"}, "00" * 16)
CARD: dict[str, Any] = {
    "version": 1,
    "agent": "a",
    "metadata": "00ff",
    "descs": "01",
    "places": [{"address": "10.0.0.1", "port": 7}],
}
FACTS: dict[str, Any] = {
    "host": "what it calls itself",
    "nics": ["rail0"],
    "rails": 1,
    "patched": True,
    "down": [],
    "limits": {"files": 1024},
    "alike": {"NIXL": "1"},
    "switches": {},
}


class Fleet:
    """A hub for three, and those who come to it; all in this thread, over loopback."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.hub = Hub(Address(port=_free_port()), KEY, 3, REQUEST, self.said.append)

    def come(
        self, rank: int, host: str = "", *, ranks: int = 3, key: bytes = KEY, verb: str = "fleet"
    ) -> Link:
        """Connect as a host does; the hub works meanwhile."""
        found: list[Link | StripeError] = []
        hello = {"kind": "hello", "verb": verb, "rank": rank, "ranks": ranks}
        hello["host"] = host or f"n{rank}"

        def call() -> None:
            try:
                found.append(connect(Address(port=self.hub.port), key, hello, TO_HOST)[0])
            except StripeError as error:
                found.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        while thread.is_alive():
            self.hub.hear(0.05)
        if isinstance(found[0], StripeError):
            raise found[0]
        return found[0]

    def seated(self, rank: int, host: str = "") -> Link:
        link = self.come(rank, host)
        link.send("facts", facts=FACTS, card=CARD)
        wanted = len(self.hub.hosts) + 1
        self.hub.gather(10, lambda: len(self.hub.hosts) == wanted)
        return link


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    made = Fleet()
    with made.hub:
        yield made


def test_all_come_and_are_told_what_to_do(fleet: Fleet) -> None:
    links = [fleet.seated(rank) for rank in (2, 0, 1)]
    assert fleet.hub.hosts == ["n0", "n1", "n2"]
    assert fleet.hub.absent == []
    assert fleet.hub.facts["n1"].host == "n1"  # its name is the hub's to give
    fleet.hub.tell("n0", {"kind": "move", "number": 5, "limit_s": 1.0})
    assert links[1].receive(5, "move")["number"] == 5
    links[1].send("answer", number=5, error="", seconds=0.5)
    (event,) = fleet.hub.hear(5)
    assert event == ("n0", {"kind": "answer", "number": 5, "error": "", "seconds": 0.5})
    fleet.hub.say_goodbye(ok=True)
    assert links[0].receive(5, "bye")["ok"] is True
    for link in links:
        link.close()
    assert fleet.said[-1] == "3 of 3 hosts are there"


def test_one_who_has_the_token_and_wants_something_else_ends_nothing_bad_flow(fleet: Fleet) -> None:
    with pytest.raises(StripeError, match="verb"):
        fleet.come(1, verb="verify")
    link = fleet.seated(1)
    assert fleet.hub.hosts == ["n1"]
    link.close()


def test_a_host_without_the_token_is_turned_away_bad_flow(fleet: Fleet) -> None:
    with pytest.raises(LinkLostError, match="another token"):
        fleet.come(1, key=OTHER)
    assert fleet.hub.absent == ["rank 0", "rank 1", "rank 2"]


@pytest.mark.parametrize(
    ("rank", "ranks", "words"),
    [(1, 3, "rank 1 is taken by n1"), (2, 4, "--ranks 4 and --rank 2, here are 3")],
)
def test_a_rank_that_does_not_fit_is_refused_bad_flow(
    fleet: Fleet, rank: int, ranks: int, words: str
) -> None:
    with contextlib.closing(fleet.seated(1)):
        with pytest.raises(LinkLostError, match=words):
            fleet.come(rank, "late", ranks=ranks)
        assert fleet.hub.hosts == ["n1"]


def test_who_goes_is_told_once_and_may_come_again(fleet: Fleet) -> None:
    fleet.seated(1).close()
    events: list[Any] = []
    while not events:
        events = fleet.hub.hear(1)
    assert events == [("n1", None)]
    assert "closed the connection" in fleet.hub.why_gone("n1")
    assert fleet.hub.absent == ["rank 0", "rank 2", "n1"]
    fleet.hub.tell("n1", {"kind": "facts", "number": 1})  # nobody is there: nothing happens
    with contextlib.closing(fleet.seated(1)):
        assert fleet.hub.hosts == ["n1"]


def test_a_host_says_why_it_ends(fleet: Fleet) -> None:
    with contextlib.closing(fleet.seated(1)) as link:
        link.send("ended", text="its worker ended with status -11: core dumped")
        assert fleet.hub.hear(5) == [("n1", None)]
        assert fleet.hub.why_gone("n1") == "its worker ended with status -11: core dumped"


@pytest.mark.parametrize(
    "answer",
    [
        {"number": 1, "error": "", "unreachable": [999]},
        {"number": 1, "error": "x" * 5000},
        {"number": 1, "error": "", "more": 1},
        {"number": -1, "error": ""},
        {"number": 1, "error": "", "carried": {"rail0": [1, 2, 3]}},
    ],
)
def test_what_is_no_answer_ends_that_host_alone_bad_flow(
    fleet: Fleet, answer: dict[str, Any]
) -> None:
    with contextlib.closing(fleet.seated(1)) as link, contextlib.closing(fleet.seated(2)):
        link.send("answer", **answer)
        assert fleet.hub.hear(5) == [("n1", None)]
        assert "accepted" in fleet.hub.why_gone("n1")
        assert fleet.hub.hosts == ["n2"]


def test_two_hosts_of_one_name_are_two(fleet: Fleet) -> None:
    with contextlib.closing(fleet.seated(1, "node")), contextlib.closing(fleet.seated(2, "node")):
        assert fleet.hub.hosts == ["node", "node/2"]


def test_a_run_begins_without_those_who_never_came(fleet: Fleet) -> None:
    with contextlib.closing(fleet.seated(1)):
        fleet.hub.gather(0.2)
        assert fleet.hub.hosts == ["n1"]
        assert fleet.hub.absent == ["rank 0", "rank 2"]


def test_an_own_name_that_is_loopback_is_said_bad_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(host: str, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (places[host], 1))]

    places = {"gpu7": "127.0.1.1", "gpu8": "10.0.0.8", "127.0.0.1": "127.0.0.1"}
    monkeypatch.setattr(socket, "getaddrinfo", named)
    assert "--hub gpu7:5: this host's own name stands for 127.0.1.1" in check_reachable(
        Address("gpu7", 5)
    )
    assert check_reachable(Address("gpu8", 5)) == check_reachable(Address("127.0.0.1", 5)) == ""


def test_a_hub_whose_name_comes_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a pod that starts; any other command says at once that there is no such host."""
    asked: list[str] = []

    def create(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address[0])
        if len(asked) < 3:
            raise socket.gaierror(-2, "Name or service not known")
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", create)

    def nap(seconds: float) -> None:
        del seconds

    monkeypatch.setattr(time, "sleep", nap)
    me = Rank(1, 2, Address("fleet-0.rails", 18600))
    with pytest.raises(StripeError, match=r"--hub fleet-0\.rails:18600: .* refused; start rank 0"):
        Member(me, KEY, Nixl(), print).serve(0.6)
    assert len(asked) > 3
    asked.clear()
    with pytest.raises(StripeError, match=r"--connect fleet-0\.rails:18600: Name or service"):
        connect(me.hub, KEY, {}, TO_HOST, 0.6)
    assert len(asked) == 1


def test_a_hub_that_is_not_here_is_said_with_the_option_bad_flow() -> None:
    with pytest.raises(StripeError, match=r"--hub 192\.0\.2\.1:18600: Cannot assign requested"):
        Hub(Address("192.0.2.1", 18600), KEY, 2, REQUEST, print)
