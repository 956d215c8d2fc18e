# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where a listener's peers come in: whoever has no token is turned away and costs next to nothing.

One peer is served at a time, or as many as the door was made for. Those who come beyond them are
answered while the listener waits for anything (`Door.wait`): with a word, where they have the
token, and by hanging up otherwise.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nixl_stripe.errors import StripeError
from nixl_stripe.lab.remote import handshake
from nixl_stripe.lab.remote.address import Address
from nixl_stripe.lab.remote.frames import Frame, Opener, Sealer
from nixl_stripe.lab.remote.link import SESSION_LIMIT_S, Link, LinkLostError, Message, wait_for
from nixl_stripe.untrusted import RefusedError, one_line, schema

#: Seconds for a caller to prove the token, and how many may be at it at a time.
PROOF_LIMIT_S, MAX_CALLERS = 10.0, 32
#: Lines about callers that were turned away: so many in so many seconds.
_LINES, _LINES_S = 5, 10.0


class _Caller:
    """Somebody who has connected and proven nothing yet."""

    def __init__(self, connection: socket.socket, host: str, token_key: bytes) -> None:
        self.connection = connection
        self.host = host
        self.end = time.monotonic() + PROOF_LIMIT_S
        self._token_key = token_key
        self._got = b""
        self.ends: tuple[Sealer, Opener] | None = None

    def step(self) -> list[Frame]:
        """Take what has come; return its first frames, [] while there are none. RefusedError."""
        try:
            limit = handshake.OPENING_BYTES + 1 - len(self._got)
            piece = self.connection.recv(limit if self.ends is None else 4096)
        except BlockingIOError:
            return []
        except OSError as error:
            raise RefusedError(error.strerror or str(error)) from None
        if not piece:
            raise RefusedError("it hung up" if self.ends is None else "it has another token")
        if self.ends is not None:
            return self._proof(self.ends[1], piece)
        self._got += piece
        theirs = handshake.read_opening(self._got)
        if theirs is not None:
            mine = handshake.nonce()
            self.ends = handshake.as_listening(self._token_key, mine, theirs)
            with contextlib.suppress(OSError):
                self.connection.send(mine)
        return []

    @staticmethod
    def _proof(opener: Opener, piece: bytes) -> list[Frame]:
        try:
            return opener.feed(piece)
        except RefusedError:
            raise RefusedError("it has another token") from None


class Door:
    """A listening socket; use it in a `with` statement. say: is told of callers, a line each.

    most: peers that are served at a time; as many more callers may be at their proof together.
    option: that the address was given by, for errors.
    """

    def __init__(
        self,
        address: Address,
        token_key: bytes,
        say: Callable[[str], None],
        most: int = 1,
        option: str = "--listen",
    ) -> None:
        self._token_key = token_key
        self._say = say
        self._most, self._most_callers = most, MAX_CALLERS + most - 1
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            self._server = socket.create_server(
                found[0][4], family=found[0][0], backlog=max(128, most)
            )
        except (OSError, UnicodeError) as error:
            raise StripeError(f"{option} {address}: {_reason(error)}") from None
        self._server.setblocking(False)
        self._callers: dict[socket.socket, _Caller] = {}
        self._said: deque[float] = deque(maxlen=_LINES)
        self._unsaid = 0
        self._arrived: deque[tuple[_Caller, list[Frame]]] = deque()
        self._serving = 0
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._callers:
            each.close()
        self._server.close()

    def admit(
        self, schemas: Mapping[str, schema.Schema], limit_s: float | None = None
    ) -> tuple[Link, Message, str]:
        """Wait for a peer with the token; return its link, its first message and its address.

        StripeError where none came within `limit_s` seconds; None waits for ever.
        """
        end = None if limit_s is None else time.monotonic() + limit_s
        while True:
            while not self._arrived:
                left = 60.0 if end is None else end - time.monotonic()
                if left <= 0:
                    raise StripeError(f"--listen: nobody with the token came for {limit_s:g} s")
                self.wait([], left)
            caller, first = self._arrived.popleft()
            self._serving += 1
            link = self._linked(caller, schemas)
            try:
                link.take(first)
                return link, link.receive(PROOF_LIMIT_S, "hello"), caller.host
            except (RefusedError, LinkLostError) as error:
                link.refuse("refused", str(error))
                self._serving -= 1
                self._turned_away(caller, str(error))

    def leave(self) -> None:
        """Let the next peer in: one is gone."""
        self._serving -= 1

    @property
    def has_arrivals(self) -> bool:
        """Whether `admit` has somebody to return, or to turn away, at once."""
        return bool(self._arrived)

    def wait(self, sockets: Sequence[socket.socket], seconds: float) -> Sequence[socket.socket]:
        """Wait as `select` does, and answer callers meanwhile; returns early for them too."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            watched = [*sockets, self._server, *self._callers]
            ready = wait_for(watched, min(left, 0.5))
            self._answer(set(ready))
            found = [each for each in sockets if each in ready]
            if found or left <= 0 or self._arrived:
                return found

    def _answer(self, ready: set[socket.socket]) -> None:
        now = time.monotonic()
        for connection, caller in list(self._callers.items()):
            if connection in ready:
                self._hear(caller)
            elif now > caller.end:
                self._turned_away(caller, f"no proof of a token in {PROOF_LIMIT_S:g} s")
        if self._server in ready:
            self._accept()

    def _accept(self) -> None:
        try:
            connection, peer = self._server.accept()
        except OSError:
            return
        connection.setblocking(False)
        if len(self._callers) >= self._most_callers:
            self._turned_away(self._one_too_many(peer[0]), "too many others came")
        self._callers[connection] = _Caller(connection, peer[0], self._token_key)

    def _one_too_many(self, host: str) -> _Caller:
        """Return who goes for a caller from `host`: the first one of the host that has most."""
        count = Counter([host, *(caller.host for caller in self._callers.values())])
        return max(self._callers.values(), key=lambda caller: count[caller.host])

    def _hear(self, caller: _Caller) -> None:
        try:
            first = caller.step()
        except RefusedError as error:
            self._turned_away(caller, str(error))
            return
        if not first:
            return
        if self._serving + len(self._arrived) >= self._most:
            others = "another peer" if self._most == 1 else f"{self._most} others"
            self._linked(caller, {}).refuse("busy", f"it serves {others}; try again later")
            self._turned_away(caller, f"busy with {others}")
            return
        del self._callers[caller.connection]
        self._arrived.append((caller, first))

    def _linked(self, caller: _Caller, schemas: Mapping[str, schema.Schema]) -> Link:
        if caller.ends is None:
            raise RefusedError("it has proven nothing")
        sealer, opener = caller.ends
        opener.allow()
        _keep_alive(caller.connection)
        end = time.monotonic() + SESSION_LIMIT_S
        return Link(caller.connection, sealer, opener, schemas, self.wait, end)

    def _turned_away(self, caller: _Caller, why: str) -> None:
        self._callers.pop(caller.connection, None)
        self._log(f"turned {caller.host} away: {one_line(why)}")
        caller.connection.close()

    def _log(self, line: str) -> None:
        """Say it, unless too many lines were said just now."""
        now = time.monotonic()
        if len(self._said) == _LINES and now - self._said[0] < _LINES_S:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more before)" if self._unsaid else ""
        self._said.append(now)
        self._unsaid = 0
        self._say(f"{line}{more}")


def _keep_alive(connection: socket.socket) -> None:
    """Notice within a minute that the other host is gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 4)):
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


@dataclass(frozen=True)
class Words:
    """How errors of `connect` name the address, and what they ask for.

    names_come: the host's name may be known only later, as that of a pod that starts.
    """

    option: str = "--connect"
    start: str = "start the listener there (--listen ADDRESS)"
    names_come: bool = False


def connect(
    address: Address,
    token_key: bytes,
    hello: Message,
    schemas: Mapping[str, schema.Schema],
    wait_s: float = 30.0,
    words: Words = Words(),
) -> tuple[Link, Message]:
    """Connect, again and again for `wait_s` seconds: either side may be started first.

    Returns the link and the listener's hello; StripeError or LinkLostError says what to do.
    """
    connection = _reached(address, wait_s, words)
    said = f"{words.option} {address}"
    try:
        connection.settimeout(PROOF_LIMIT_S)
        mine = handshake.nonce()
        connection.sendall(handshake.opening(mine))
        theirs = _exactly(connection, handshake.NONCE_BYTES)
    except OSError as error:
        connection.close()
        raise LinkLostError(f"{said}: {error.strerror or error}") from None
    _keep_alive(connection)
    sealer, opener = handshake.as_connecting(token_key, mine, theirs)
    link = Link(connection, sealer, opener, schemas)
    try:
        link.send(**hello)
        return link, link.receive(PROOF_LIMIT_S, "hello")
    except LinkLostError as error:
        link.close()
        if "closed the connection" in str(error) or "broke" in str(error):
            raise LinkLostError(f"{said}: refused: it has another token") from None
        raise LinkLostError(f"{said}: {error}") from None


def _exactly(connection: socket.socket, size: int) -> bytes:
    """Read so many bytes within PROOF_LIMIT_S, however they come."""
    got, end = b"", time.monotonic() + PROOF_LIMIT_S
    while len(got) < size:
        connection.settimeout(max(0.001, end - time.monotonic()))
        piece = connection.recv(size - len(got))
        if not piece:
            raise ConnectionError("hung up; use the same nixl-stripe on both hosts")
        got += piece
    return got


def _reason(error: OSError | UnicodeError) -> str:
    """Return why a host was not reached; a UnicodeError: the name is none of a host."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).partition(" (while attempting")[0]
    return f"no name of a host: {one_line(str(error))}"


def _reached(address: Address, wait_s: float, words: Words) -> socket.socket:
    end = time.monotonic() + wait_s
    while True:
        try:
            return socket.create_connection((address.host, address.port), timeout=5.0)
        except (OSError, UnicodeError) as error:  # noqa: PERF203 - trying again is the point
            hopeless = isinstance(error, UnicodeError)
            hopeless |= isinstance(error, socket.gaierror) and not words.names_come
            if hopeless or time.monotonic() + 0.5 > end:
                raise StripeError(
                    f"{words.option} {address}: {_reason(error)}; {words.start}, and let the "
                    "port through"
                ) from None
            time.sleep(0.5)
