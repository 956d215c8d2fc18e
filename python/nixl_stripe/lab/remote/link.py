# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A connection between two hosts' commands that have proven a token to each other.

Messages are JSON objects with a `kind`, each checked against the schema of its kind. What the two
workers say to each other goes the same way, and is checked as well. LinkLostError is all that
comes out of a peer that goes away, is late, or says what is not accepted.
"""

from __future__ import annotations

import json
import math
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nixl_stripe.errors import StripeError
from nixl_stripe.lab.beds.processes import Process
from nixl_stripe.lab.remote import frames
from nixl_stripe.lab.remote.frames import Frame, Opener, Sealer
from nixl_stripe.lab.remote.worker_lines import checked_line
from nixl_stripe.lab.side import Ended, SideJob
from nixl_stripe.untrusted import Limits, RefusedError, read_json, schema

Message = dict[str, Any]
#: Waits until one of the sockets has something, or the seconds are over; returns those that have.
Wait = Callable[[Sequence[socket.socket], float], Sequence[socket.socket]]

LIMITS = Limits(size=frames.MAX_PAYLOAD, depth=10, items=400_000)
#: Seconds for the other side to take what it is sent.
SEND_LIMIT_S = 60.0
#: What may wait to be handled, bytes (as they came) and frames.
_MAX_QUEUED, _MAX_QUEUED_FRAMES = 2 * frames.MAX_PAYLOAD, 10_000
_REFUSAL = schema.record({"kind": schema.choice("busy", "refused"), "text": schema.text(2000)})


#: Seconds that a listener serves one peer, whatever it asks for: others wait for their turn.
SESSION_LIMIT_S = 4 * 3600.0


class _Waiting(NamedTuple):
    """A line for the worker here or a message for this command; size: bytes as it came."""

    item: bytes | Message
    size: int


class LinkLostError(StripeError):
    """The other side's command ended, the connection broke, or what came is not accepted."""


def wait_for(sockets: Sequence[socket.socket], seconds: float) -> Sequence[socket.socket]:
    """Wait for these sockets alone, whatever their numbers are (`select` ends at 1024)."""
    poll = select.poll()
    by_number = {each.fileno(): each for each in sockets}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(max(0.0, seconds) * 1000)]


class Link:
    """One side's end; schemas: of the messages that it may be sent, by kind.

    end: of the session, as `time.monotonic` counts: nothing is waited for beyond it.
    """

    def __init__(
        self,
        connection: socket.socket,
        sealer: Sealer,
        opener: Opener,
        schemas: Mapping[str, schema.Schema],
        wait: Wait = wait_for,
        end: float = math.inf,
    ) -> None:
        self.connection = connection
        connection.setblocking(False)
        self._sealer = sealer
        self._opener = opener
        self._schemas = schemas
        self._wait = wait
        self._end = end
        #: Lines for the worker here and messages for this command, in their order.
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        #: Lines that the worker here did not take yet.
        self._unsent = bytearray()
        self._refused = False

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message to the other side's command."""
        self._push(frames.MESSAGE, json.dumps({"kind": kind, **fields}).encode())

    def refuse(self, kind: str, text: str) -> None:
        """Tell the other side why this is the end, if it still listens."""
        try:
            self._push(
                frames.MESSAGE, json.dumps({"kind": kind, "text": text[:1900]}).encode(), 1.0
            )
        except LinkLostError:
            return

    def receive(self, limit_s: float, *expected: str) -> Message:
        """Return the next message, one of the kinds; LinkLostError after `limit_s` seconds."""
        end = time.monotonic() + limit_s
        self._check_session()
        while (message := self._next_message()) is None:
            left = min(end, self._end) - time.monotonic()
            if left <= 0 or not self._wait([self.connection], left):
                self._check_session()
                raise LinkLostError(f"the other side said nothing for {limit_s:g} s")
            self._pull()
        kind = message.get("kind")
        if kind not in expected:
            raise LinkLostError(
                f"the other side said {kind!r} where {' or '.join(expected)} was expected: use "
                "the same nixl-stripe on both"
            )
        return message

    def arrived(self) -> list[Message]:
        """Take in what has come and return its messages; nothing is waited for."""
        found = []
        while (message := self._next_message()) is not None:
            found.append(message)
        if not found:
            self._pull()
            while (message := self._next_message()) is not None:
                found.append(message)
        return found

    def run(
        self,
        job: SideJob,
        environment: Mapping[str, str],
        folder: Path,
        interpreter: Sequence[str | Path] = (),
    ) -> Ended:
        """Run this side of a case, its channel being this link, and return how it ended."""
        mine, its = socket.socketpair()
        with mine:
            with its:
                process = Process(job, folder, its, environment, interpreter)
            with process:
                late = not self._carry(process, mine, job.total_limit_s)
        return process.ended(late)

    def _carry(self, worker: Process, channel: socket.socket, limit_s: float) -> bool:
        """Carry lines between the workers until ours has ended; False at the time's end."""
        end = min(time.monotonic() + limit_s, self._end)
        rest = b""
        self._unsent.clear()
        at_worker: list[socket.socket] = [channel]
        channel.setblocking(False)
        while worker.process.poll() is None or at_worker:
            left = end - time.monotonic()
            if left <= 0:
                return False
            nap = 0.02 if self._unsent else 0.2
            ready = self._wait([*at_worker, self.connection], min(left, nap))
            if self.connection in ready:
                self._pull()
            self._hand_over(channel)
            if channel in ready:
                piece = _read(channel)
                if piece == b"":
                    at_worker.clear()
                rest = self._relay(rest + (piece or b""))
        return True

    def _check_session(self) -> None:
        if time.monotonic() >= self._end:
            text = f"a session ends after {SESSION_LIMIT_S / 3600:g} hours; connect again"
            self.refuse("refused", text)
            raise LinkLostError(text)

    def close(self) -> None:
        """Close the connection; the other side then ends."""
        self.connection.close()

    def _next_message(self) -> Message | None:
        """Return the first message; lines before it were for a worker that has ended."""
        while self._queue:
            first = self._take_first()
            if isinstance(first, dict):
                return first
        return None

    def _take_first(self) -> bytes | Message:
        first = self._queue.popleft()
        self._queued_bytes -= first.size
        return first.item

    def _hand_over(self, channel: socket.socket) -> None:
        """Give the worker here the lines that have come, as far as it takes them."""
        while self._queue and isinstance(self._queue[0].item, bytes):
            line = self._take_first()
            self._unsent += line if isinstance(line, bytes) else b""
        try:
            if self._unsent:
                del self._unsent[: channel.send(self._unsent)]
            elif self._queue:  # the worker there has ended, ours must not wait for it
                channel.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()  # ours has ended: its report says why

    def _relay(self, got: bytes) -> bytes:
        if len(got) > frames.MAX_PAYLOAD and b"\n" not in got:
            raise LinkLostError("the worker of this side says more than the link carries")
        *lines, rest = got.split(b"\n")
        for line in lines:
            self._push(frames.WORKER_LINE, line)
        return rest

    def _push(self, kind: bytes, payload: bytes, limit_s: float = SEND_LIMIT_S) -> None:
        """Send a frame; what comes meanwhile is taken in, so that two who send do not block."""
        try:
            left = memoryview(self._sealer.seal(kind, payload))
        except RefusedError as error:
            raise LinkLostError(str(error)) from None
        end = time.monotonic() + limit_s
        poll = select.poll()
        poll.register(self.connection, select.POLLIN | select.POLLOUT)
        while left:
            ready = [found for _, found in poll.poll(1000)]
            try:
                if ready and ready[0] & ~select.POLLIN:
                    left = left[self.connection.send(left) :]
                elif ready:
                    self._pull()
            except BlockingIOError:
                continue
            except OSError as error:
                self._take_leave()
                raise LinkLostError(f"the connection to the other side broke: {error}") from None
            if time.monotonic() > end:
                raise LinkLostError(f"the other side took nothing for {limit_s:g} s")

    def _take_leave(self) -> None:
        """Read what the other side said before it went: the reason, perhaps; raises that."""
        try:
            self._pull()
        except LinkLostError as error:
            if str(error).startswith("the other side refuses"):
                raise

    def _pull(self) -> None:
        try:
            piece = self.connection.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkLostError(f"the connection to the other side broke: {error}") from None
        if not piece:
            raise LinkLostError("the other side closed the connection: its own output says why")
        try:
            self.take(self._opener.feed(piece))
        except RefusedError as error:
            if not self._refused:
                self._refused = True
                self.refuse("refused", str(error))
            raise LinkLostError(f"what the other side says is refused: {error}") from None

    def take(self, got: Sequence[Frame]) -> None:
        """Take in frames; RefusedError for what is not accepted."""
        for frame in got:
            if frame.kind == frames.WORKER_LINE:
                item: bytes | Message = checked_line(frame.payload)
            else:
                item = self._checked(frame.payload)
            self._queue.append(_Waiting(item, len(frame.payload)))
            self._queued_bytes += len(frame.payload)
        waiting = self._queued_bytes + len(self._unsent)
        if waiting > _MAX_QUEUED or len(self._queue) > _MAX_QUEUED_FRAMES:
            raise RefusedError("more than was asked for")

    def _checked(self, payload: bytes) -> Message:
        message = read_json(payload, LIMITS)
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind in ("busy", "refused"):
            raise LinkLostError(f"the other side refuses: {_REFUSAL(message, kind)['text']}")
        if not isinstance(kind, str) or kind not in self._schemas:
            raise schema.refusal("kind", kind, ", ".join(self._schemas))
        checked: Message = self._schemas[kind](message, kind)
        return checked


def _read(channel: socket.socket) -> bytes | None:
    """Return what the worker says, None for nothing now, b"" when it has ended."""
    try:
        return channel.recv(1 << 16)
    except BlockingIOError:
        return None
    except OSError:
        return b""
