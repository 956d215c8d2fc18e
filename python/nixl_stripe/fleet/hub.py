# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where the hosts of a fleet come together: one listener at rank 0, for those with the token."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from nixl_stripe.errors import StripeError
from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.messages import TO_HUB, Request
from nixl_stripe.fleet.model import HostFacts
from nixl_stripe.lab.remote import Address, Door, Link, LinkLostError, RefusedError

Event = tuple[str, Message | None]


@dataclass
class Seat:
    """A host that has come: its rank and its link; why: it is gone, "" while it is there."""

    rank: int
    link: Link
    why: str = ""


class Hub:
    """A `Hall` over the authenticated links of `lab.remote`; use it in a `with` statement.

    ranks: how many are to come, one a host. say: is told what happens, a line each.
    """

    def __init__(
        self,
        address: Address,
        token_key: bytes,
        ranks: int,
        request: Request,
        say: Callable[[str], None],
    ) -> None:
        _allow_files(ranks)
        self.ranks = ranks
        self.facts: dict[str, HostFacts] = {}
        self.cards: dict[str, Message] = {}
        self._request, self._say = request, say
        self._seats: dict[str, Seat] = {}
        self._gone: list[str] = []
        self._door = Door(address, token_key, say, most=ranks, option="--hub")
        self.port = self._door.port

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self._seats.values():
            seat.link.close()
        self._door.__exit__()

    @property
    def hosts(self) -> list[str]:
        """Hosts that are there and have said what they are, by their rank."""
        there = [name for name, seat in self._seats.items() if name in self.facts and not seat.why]
        return sorted(there, key=lambda name: self._seats[name].rank)

    @property
    def absent(self) -> list[str]:
        """Ranks that are not there: those that never came, and hosts that went before a run."""
        came = {seat.rank for seat in self._seats.values()}
        never = [f"rank {number}" for number in range(self.ranks) if number not in came]
        return never + [name for name, seat in self._seats.items() if seat.why]

    def gather(self, limit_s: float, enough: Callable[[], bool] | None = None) -> None:
        """Wait until every rank is there, or `limit_s` seconds are over. enough: another end."""
        end = time.monotonic() + limit_s
        told = -1
        while not (enough or self._is_whole)() and (left := end - time.monotonic()) > 0:
            self.hear(min(left, 1.0))
            if len(self.hosts) != told:
                told = len(self.hosts)
                self._say(f"{told} of {self.ranks} hosts are there")

    def _is_whole(self) -> bool:
        return len(self.hosts) == self.ranks

    def tell(self, host: str, order: Message) -> None:
        """Send an order; see `Hall`."""
        seat = self._seats[host]
        if not seat.why:
            try:
                seat.link.send(**order)
            except LinkLostError as error:
                self._lose(host, str(error))

    def hear(self, limit_s: float) -> list[Event]:
        """Return what has come; see `Hall`. Those who come in meanwhile are let in."""
        there = {seat.link.connection: name for name, seat in self._seats.items() if not seat.why}
        ready = self._door.wait(list(there), 0.0 if self._gone else limit_s)
        while self._door.has_arrivals:
            self._admit()
        found = [event for connection in ready for event in self._read(there[connection])]
        gone, self._gone = self._gone, []
        return [*found, *((name, None) for name in gone)]

    def why_gone(self, host: str) -> str:
        """Return why; see `Hall`."""
        return self._seats[host].why

    def say_goodbye(self, ok: bool) -> None:
        """End every host's command; ok: with which status."""
        for host in list(self._seats):
            self.tell(host, {"kind": "bye", "ok": ok})

    def _admit(self) -> None:
        try:
            link, hello, address = self._door.admit(TO_HUB, 0.0)
        except StripeError:
            return  # whoever came was turned away, and nobody else has come yet
        rank, problem = hello["rank"], ""
        if hello["ranks"] != self.ranks or rank >= self.ranks:
            problem = f"it says --ranks {hello['ranks']} and --rank {rank}, here are {self.ranks}"
        holder = next((n for n, s in self._seats.items() if s.rank == rank and not s.why), None)
        if holder is not None:
            problem = f"rank {rank} is taken by {holder}"
        if problem:
            self._say(f"turned {hello['host']} ({address}) away: {problem}")
            link.refuse("refused", problem)
            link.close()
            self._door.leave()
            return
        for name in [name for name, seat in self._seats.items() if seat.rank == rank]:
            del self._seats[name]  # its earlier self is gone
        name = hello["host"] if hello["host"] not in self._seats else f"{hello['host']}/{rank}"
        self._seats[name] = Seat(rank, link)
        self.facts.pop(name, None)
        try:
            link.send(**{**self._request.hello(), "name": name})
        except LinkLostError as error:
            self._lose(name, str(error))

    def _read(self, host: str) -> list[Event]:
        seat = self._seats[host]
        found: list[Event] = []
        try:
            for message in seat.link.arrived():
                if message["kind"] == "facts":
                    self._sit(host, message)
                elif message["kind"] == "ended":
                    self._lose(host, message["text"])
                elif message["kind"] == "answer":
                    if "card" in message:
                        self.cards[host] = message["card"]
                    found.append((host, message))
        except (LinkLostError, RefusedError) as error:
            self._lose(host, str(error))
        return found

    def _sit(self, host: str, message: Message) -> None:
        self.cards[host] = message["card"]
        self.facts[host] = facts_from(host, message["facts"])

    def _lose(self, host: str, why: str) -> None:
        seat = self._seats[host]
        if not seat.why:
            seat.why = why or "its connection ended"
            seat.link.close()
            self._door.leave()
            self._gone.append(host)


def facts_from(host: str, told: Message) -> HostFacts:
    """Return what a host says of itself; its name is the hub's to give."""
    return HostFacts(
        host,
        nics=tuple(told["nics"]),
        rails=told["rails"],
        patched=told["patched"],
        down=tuple(told["down"]),
        alike=told["alike"],
        switches=told["switches"],
        limits=told["limits"],
    )


def _allow_files(ranks: int) -> None:
    """Raise the soft limit of open files to what so many hosts need, as far as the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ranks + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def check_reachable(address: Address) -> str:
    """Return why other hosts cannot reach a hub that listens on this address; "" if they may.

    Some systems have their own name stand for a loopback address in /etc/hosts.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError):
        return ""  # the door says it
    literal = address.host in ("localhost", str(found))
    if literal or not (str(found).startswith("127.") or found == "::1"):
        return ""
    return (
        f"--hub {address}: this host's own name stands for {found} here, which no other host "
        "reaches; say the address by --hub"
    )
