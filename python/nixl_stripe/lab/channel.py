# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How two sides talk: a socket between processes, a shared folder between machines."""

from __future__ import annotations

import json
import select
import socket
import time
from pathlib import Path
from typing import Any, Protocol

Message = dict[str, Any]


class PeerFailedError(Exception):
    """The other side stopped: its own report has the reason."""


class Channel(Protocol):
    """Messages in order, each way."""

    def send(self, message: Message) -> None:
        """Send one message, of any size; two sides may send to each other at the same time."""

    def receive(self, limit_s: float) -> Message:
        """Return the next message; TimeoutError after `limit_s` s, PeerFailedError at its end."""


def open_channel(address: str, role: str) -> Channel:
    """Open `fd:N` (an inherited stream socket) or `dir:PATH` (a folder that both sides see)."""
    kind, _, where = address.partition(":")
    if kind == "fd":
        return SocketChannel(socket.socket(fileno=int(where)))
    if kind == "dir":
        return FolderChannel(Path(where), role)
    raise ValueError(f"channel {address!r}: accepted are fd:N and dir:PATH")


def ask(channel: Channel, limit_s: float, expected: str) -> Message:
    """Receive a message of kind `expected`; a peer's failure raises PeerFailedError."""
    message = channel.receive(limit_s)
    if message["kind"] == "failed":
        raise PeerFailedError(str(message.get("text", "")))
    if message["kind"] != expected:
        raise RuntimeError(f"the peer sent {message['kind']!r} where {expected!r} was expected")
    return message


class SocketChannel:
    """Lines of JSON over a connected stream socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self._peer_writes = True

    def send(self, message: Message) -> None:
        """Send one line.

        A line may be larger than what the system keeps for a socket, so what the peer sends
        meanwhile is taken in: neither of two sides that send waits for the other to read.
        """
        left = memoryview(json.dumps(message).encode() + b"\n")
        while left:
            readers = [self._connection] if self._peer_writes else []
            can_read, can_write, _ = select.select(readers, [self._connection], [])
            if can_read:
                self._pull()
            if can_write:
                left = left[self._push(left) :]

    def _push(self, data: memoryview) -> int:
        """Send what the socket takes at once and return how many bytes that was."""
        try:
            return self._connection.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except (BrokenPipeError, ConnectionResetError):
            raise PeerFailedError("the peer closed the connection") from None

    def _pull(self) -> None:
        """Take in what has come."""
        try:
            piece = self._connection.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        self._peer_writes = bool(piece)
        self._buffer += piece

    def receive(self, limit_s: float) -> Message:
        """Wait for one line."""
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._buffer:
            if not self._peer_writes:
                raise PeerFailedError("the peer closed the connection")
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._connection], [], [], left)[0]:
                raise TimeoutError(f"the peer said nothing for {limit_s:g} s")
            self._pull()
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: Message = json.loads(line)
        return message


class FolderChannel:
    """One file per message, made visible by renaming; for machines that share only a folder."""

    POLL_S = 0.005

    def __init__(self, folder: Path, role: str) -> None:
        self._folder = folder
        self._role = role
        self._peer = "target" if role == "initiator" else "initiator"
        self._sent = 0
        self._received = 0

    def send(self, message: Message) -> None:
        """Write the next file."""
        path = self._folder / f"{self._role}.{self._sent}.json"
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(message))
        draft.replace(path)
        self._sent += 1

    def receive(self, limit_s: float) -> Message:
        """Wait for the peer's next file."""
        path = self._folder / f"{self._peer}.{self._received}.json"
        deadline = time.monotonic() + limit_s
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the peer said nothing for {limit_s:g} s ({path} is missing)")
            time.sleep(self.POLL_S)
        self._received += 1
        message: Message = json.loads(path.read_text())
        return message
