# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a peer that has the token may not use up, and whom a crowd at the door keeps out."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.job import Job
from nixl_stripe.lab.remote import Address, Door, Link, LinkLostError, Token, connect, door, frames
from nixl_stripe.lab.remote.frames import MESSAGE, WORKER_LINE, Opener, Sealer
from nixl_stripe.lab.worker import reported_variables
from nixl_stripe.untrusted import RefusedError, schema

KEY, OTHER = b"k" * 32, b"o" * 32
BIG = {"kind": "report", "x": "x" * (1 << 20)}
PLAIN = schema.record({"kind": schema.text(16)}, {"x": schema.text(1 << 22)})


@pytest.fixture
def links() -> Iterator[tuple[Link, Link]]:
    left, right = socket.socketpair()
    with left, right:
        yield (
            Link(left, Sealer(KEY), Opener(OTHER), {"report": PLAIN}),
            Link(right, Sealer(OTHER), Opener(KEY), {"report": PLAIN}),
        )


def sealed(kind: bytes, payload: bytes, count: int) -> Iterator[list[frames.Frame]]:
    sealer, opener = Sealer(KEY), Opener(KEY)
    for _ in range(count):
        yield opener.feed(sealer.seal(kind, payload))


def take_all(link: Link, given: Iterator[list[frames.Frame]]) -> None:
    for got in given:
        link.take(got)


def test_messages_that_nobody_asked_for_are_not_kept_bad_flow(links: tuple[Link, Link]) -> None:
    """While a worker runs no message is asked for, and megabytes of them would pile up."""
    there = links[1]
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError, match="more than was asked for"):
            take_all(there, sealed(MESSAGE, json.dumps(BIG).encode(), 200))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_messages_that_were_taken_leave_room(links: tuple[Link, Link]) -> None:
    there = links[1]
    for got in sealed(MESSAGE, json.dumps(BIG).encode(), 50):
        there.take(got)
        assert len(there.receive(1, "report")["x"]) == 1 << 20


class Sleeper(Job):
    """A worker that reads nothing."""

    program = "timeit"  # which knows no --job, and would end: the interpreter below is what runs


def test_lines_for_a_worker_that_takes_none_bad_flow(
    links: tuple[Link, Link], tmp_path: Path
) -> None:
    here, there = links
    line = json.dumps({"kind": "hello", "metadata": "00" * (2 << 20), "descs": "00"}).encode()
    job = Sleeper(role="target", op="WRITE", sizes=(1,), limit_s=20.0)
    waits = ("sh", "-c", "exec sleep 60")
    sealer, count = Sealer(KEY), 0

    def more(sockets: object, seconds: float) -> list[socket.socket]:
        nonlocal count
        count += 1
        assert count < 100, "the worker took nothing, and more and more is kept for it"
        there.take(there._opener.feed(sealer.seal(WORKER_LINE, line)))
        return []

    there._wait = more
    with pytest.raises(RefusedError, match="more than was asked for"):
        there.run(job, {"PATH": "/usr/bin:/bin"}, tmp_path, waits)
    assert count < 8
    del here


def test_one_host_cannot_crowd_out_another_bad_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback has a whole network of addresses: one of them comes much more than it may."""
    monkeypatch.setattr(door, "MAX_CALLERS", 4)
    said: list[str] = []
    with Door(Address("127.0.0.1", 0), KEY, said.append) as made, contextlib.ExitStack() as stack:

        def come(source: str) -> socket.socket:
            caller = socket.create_connection(("127.0.0.1", made.port), 5, (source, 0))
            stack.enter_context(caller)
            made.wait([], 0.05)
            return caller

        other = come("127.0.0.2")
        for _ in range(12):
            come("127.0.0.3")
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)  # it still is at the door
    assert said
    assert all("turned 127.0.0.3 away" in line for line in said)


@pytest.mark.parametrize("left_s", [0.0, 0.1])
def test_a_session_has_an_end_whatever_the_peer_says_bad_flow(left_s: float) -> None:
    left, right = socket.socketpair()
    with left, right:
        here = Link(left, Sealer(KEY), Opener(OTHER), {"report": PLAIN})
        over = time.monotonic() + left_s
        there = Link(right, Sealer(OTHER), Opener(KEY), {"report": PLAIN}, end=over)
        for _ in range(3):
            here.send("report", x="")
        with pytest.raises(LinkLostError, match="a session ends after 4 hours"):
            list(map(there.receive, [60] * 4, ["report"] * 4))
        with pytest.raises(LinkLostError, match="refuses: a session ends after 4 hours"):
            here.receive(5, "report")


def test_a_worker_has_no_longer_than_the_session_bad_flow(tmp_path: Path) -> None:
    left, right = socket.socketpair()
    with left, right:
        job = Sleeper(role="target", op="WRITE", sizes=(1,), limit_s=600.0)
        there = Link(right, Sealer(OTHER), Opener(KEY), {}, end=time.monotonic() + 0.2)
        environment = {"PATH": "/usr/bin:/bin"}
        ended = there.run(job, environment, tmp_path, ("sh", "-c", "exec sleep 600"))
    assert ended.late_s is not None


@pytest.mark.parametrize("host", ["a" * 64, "..", "x." + "b" * 70])
def test_names_of_hosts_that_cannot_be_bad_flow(host: str) -> None:
    with pytest.raises(StripeError, match="--connect"):
        connect(Address(host, 1), KEY, {"kind": "hello"}, {}, wait_s=0.1)
    with pytest.raises(StripeError, match="--listen"):
        Door(Address(host, 1), KEY, print)


def test_a_listener_that_drips_is_left_bad_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte within each wait would hold a connecting command for 32 of them."""
    now = 0.0

    class Dripping:
        def settimeout(self, seconds: float) -> None:
            if seconds <= 0.001:
                raise TimeoutError("timed out")

        def recv(self, _: int) -> bytes:
            nonlocal now
            now += 0.9 * door.PROOF_LIMIT_S
            return b"x"

    monkeypatch.setattr("time.monotonic", lambda: now)
    with pytest.raises(TimeoutError):
        door._exactly(Dripping(), 32)  # type: ignore[arg-type]


def test_a_token_of_other_letters_bad_flow() -> None:
    with pytest.raises(UsageError, match="ASCII"):
        Token.find(None, {"NIXL_STRIPE_TOKEN": "a-token-with-\udcff-in-it-0123456789"})


def test_reports_hold_no_token() -> None:
    given = {"NIXL_STRIPE_TOKEN": "x", "UCX_TLS": "tcp", "NIXL_PLUGIN_DIR": "/p", "HOME": "/h"}
    assert reported_variables(given) == {"UCX_TLS": "tcp", "NIXL_PLUGIN_DIR": "/p"}


def test_a_peers_key_in_a_refusal_is_shown_as_text_bad_flow() -> None:
    rows = schema.mapping(schema.record({"a": schema.flag}))
    with pytest.raises(RefusedError) as found:
        rows({"\x1b]0;x\x07": {}}, "rows")
    assert str(found.value).isprintable()
