# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Who comes in at a listener, who does not, and what that costs: both commands, real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from listeners import CASES, HELLOS, KEY, OTHER_KEY, TOKEN, Listening, Verb
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.remote import Address, Door, LinkLostError, Token, door, handshake
from nixl_stripe.lab.remote.frames import MESSAGE, Sealer

both = pytest.mark.parametrize("verb", get_args(Verb))


@pytest.fixture
def listening(verb: Verb) -> Iterator[Listening]:
    with Listening(verb) as found:
        yield found


def call(listening: Listening, *pieces: bytes) -> bytes:
    """Connect, say the pieces, and return what comes until the listener hangs up."""
    with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as caller:
        for piece in pieces:
            caller.sendall(piece)
        return rest_of(caller)


def rest_of(caller: socket.socket) -> bytes:
    got = b""
    try:
        while piece := caller.recv(4096):
            got += piece
    except ConnectionError:
        pass
    return got


def waiting_and_well(listening: Listening) -> None:
    """Show that a peer with the token is still served."""
    assert listening.waits
    link = listening.peer()
    link.close()
    assert "closed the connection" in listening.ended()


@both
def test_a_peer_with_the_token_comes_in(listening: Listening) -> None:
    waiting_and_well(listening)


GARBAGE = {
    "nothing": b"",
    "a port scan": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "random": os.urandom(3000) + b"\n",
    "deep json": b"[" * 200_000 + b"\n",
    "the first protocol": b'{"for":"verify","kind":"hello","protocol":1}\n',
    "a flood": b"x" * (1 << 20),
}


@both
@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_turned_away_bad_flow(listening: Listening, what: str) -> None:
    with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as caller:
        try:
            caller.sendall(GARBAGE[what])
            caller.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has hung up already
        assert rest_of(caller) == b""
    assert listening.said[-1].startswith("turned 127.0.0.1 away: it ")
    waiting_and_well(listening)


@both
def test_a_wrong_token_bad_flow(listening: Listening) -> None:
    with pytest.raises(LinkLostError, match="it has another token"):
        listening.peer(OTHER_KEY)
    assert any("it has another token" in line for line in listening.said)
    waiting_and_well(listening)


def opened(caller: socket.socket, mine: bytes = b"") -> tuple[bytes, bytes]:
    """Say the opening and return both sides' nonces."""
    mine = mine or handshake.nonce()
    caller.sendall(handshake.opening(mine))
    theirs = b""
    while len(theirs) < handshake.NONCE_BYTES:
        theirs += caller.recv(64)
    return mine, theirs


@both
def test_before_the_proof_a_listener_says_nothing_that_depends_on_the_token(
    listening: Listening,
) -> None:
    """Random bytes alone: there is nothing to guess a token by."""
    with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as caller:
        opened(caller)
        caller.settimeout(0.3)
        with pytest.raises(TimeoutError):
            caller.recv(1)
    waiting_and_well(listening)


@both
def test_a_recorded_session_said_again_bad_flow(listening: Listening) -> None:
    """All that a good peer said, byte by byte, opens nothing a second time."""
    with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as caller:
        mine, theirs = opened(caller)
        sealer, _ = handshake.as_connecting(KEY, mine, theirs)
        said = sealer.seal(MESSAGE, json.dumps({**HELLOS[listening.verb], "verb": "x"}).encode())
        caller.sendall(said)
        assert rest_of(caller)  # it has proven the token, and hears what is wrong
    with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as caller:
        assert opened(caller, mine)[1] != theirs
        caller.sendall(said)
        assert rest_of(caller) == b""
    assert "another token" in listening.said[-1]
    waiting_and_well(listening)


@both
def test_what_the_listener_said_turned_back_to_it_bad_flow(listening: Listening) -> None:
    link = listening.peer()
    mirror = Sealer(link._opener._key)
    link._sealer = mirror
    kind, fields = CASES[listening.verb]
    link.send(kind, **fields)
    assert "did not make" in listening.ended()
    link.close()


@both
def test_half_a_message_and_no_more_bad_flow(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PROOF_LIMIT_S", 0.5)
    with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as slow:
        slow.sendall(handshake.PROTOCOL[:5])
        assert rest_of(slow) == b""
    assert any("no proof of a token in 0.5 s" in line for line in listening.said)
    waiting_and_well(listening)


@both
def test_many_slow_callers_keep_nobody_out_bad_flow(listening: Listening) -> None:
    slow = [
        socket.create_connection(("127.0.0.1", listening.port), timeout=20)
        for _ in range(door.MAX_CALLERS + 20)
    ]
    for caller in slow:
        with contextlib.suppress(OSError):
            caller.send(b"n")
    waiting_and_well(listening)
    for caller in slow:
        caller.close()


@both
def test_a_second_peer_is_told_to_come_later_bad_flow(listening: Listening) -> None:
    first = listening.peer()
    with pytest.raises(LinkLostError, match="it serves another peer; try again later"):
        listening.peer()
    call(listening, b"no nixl-stripe at all")
    first.close()
    assert "closed the connection" in listening.ended()
    assert sum("busy with another peer" in line for line in listening.said) == 1


def test_a_crowd_is_logged_in_a_few_lines_and_costs_next_to_nothing_bad_flow() -> None:
    said: list[str] = []
    count = 200
    with Door(Address("127.0.0.1", 0), KEY, said.append) as listener:
        start, spent = time.thread_time(), 0.0
        for _ in range(count):
            with socket.create_connection(("127.0.0.1", listener.port)) as caller:
                caller.sendall(os.urandom(64))
                start = time.thread_time()
                listener.wait([], 0.0)
                listener.wait([], 0.0)
                spent += time.thread_time() - start
    assert spent / count < 0.010
    assert 1 <= len(said) <= 10


def test_what_a_peer_is_called_reaches_no_terminal_bad_flow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(HELLOS, "verify", {**HELLOS["verify"], "host": "\x1b]0;owned\x07\u202ex"})
    with Listening("verify") as listening:
        listening.peer().close()
        listening.ended()
    assert listening.said[-1].startswith("\\x1b]0;owned\\x07\\u202ex (127.0.0.1)")


@both
def test_the_other_verb_bad_flow(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    other: Verb = "bench" if listening.verb == "verify" else "verify"
    with monkeypatch.context() as patched:
        patched.setitem(HELLOS, listening.verb, HELLOS[other])
        with pytest.raises(LinkLostError, match=r"the other side refuses: hello"):
            listening.peer()
    waiting_and_well(listening)


@pytest.mark.parametrize("text", ["", "short", "a" * 64, "x" * 2000])
def test_tokens_that_can_be_guessed_bad_flow(text: str) -> None:
    with pytest.raises(UsageError, match="accepted are 22 to 1024 with 8 different"):
        Token(text)


def test_tokens(tmp_path: Path) -> None:
    made = Token.generate()
    assert len(made.text) >= 32
    assert made.text not in repr(made)
    assert made.key() != Token.generate().key()
    file = tmp_path / "token"
    file.write_text(f"{made.text}\n")
    environ = {"NIXL_STRIPE_TOKEN": TOKEN.text}
    assert Token.find(file, dict(environ)) == Token(made.text)
    assert Token.find(None, {"NIXL_STRIPE_TOKEN_FILE": str(file)}) == Token(made.text)
    assert Token.find(None, environ) == TOKEN
    assert environ == {}  # no process that is started later has it
    assert Token.find(None, {}) is None


def test_tokens_bad_flow(tmp_path: Path) -> None:
    with pytest.raises(StripeError, match=r"--token-file .*: No such file"):
        Token.find(tmp_path / "absent", {})
    with pytest.raises(UsageError, match="accepted is one of them"):
        Token.find(None, {"NIXL_STRIPE_TOKEN": "x", "NIXL_STRIPE_TOKEN_FILE": "y"})
    with pytest.raises(UsageError, match="no token: give the one that the listener printed"):
        Token.require(None, {})
    (tmp_path / "binary").write_bytes(b"\xff" * 30)
    with pytest.raises(UsageError, match="accepted is ASCII"):
        Token.find(tmp_path / "binary", {})


SCOPED = """
import os, subprocess, threading
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.namespaces import NetNamespace, enter_user_namespace
from nixl_stripe.lab.remote import Address, Door, connect
from nixl_stripe.untrusted import schema

if os.geteuid() != 0:
    enter_user_namespace()
NetNamespace.create()
for words in ("link set lo up", "address add fe80::7/64 dev lo nodad"):
    subprocess.run(["ip", *words.split()], check=True)
hello = {"hello": schema.record({"kind": schema.text(16)})}
with Door(Address.parse("[fe80::7%lo]:18517"), b"k" * 32, print) as door:
    come = (Address.parse("[fe80::7%lo]"), b"k" * 32, {"kind": "hello"}, hello)
    peer = threading.Thread(target=connect, args=come)
    peer.start()
    link, _, host = door.admit(hello, 20)
    link.send("hello")
    peer.join()
    print("came in:", host)
try:
    Door(Address.parse("[fe80::7]:18517"), b"k" * 32, print)
except StripeError as error:
    print("refused:", error)
"""


def test_an_address_keeps_its_interface(needs_rails: None) -> None:
    """A link-local address means nothing without one, and is refused so."""
    command = [sys.executable, "-c", SCOPED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "came in: fe80::7",
        "refused: --listen [fe80::7]:18517: Invalid argument",
    ]
