# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification between two hosts: one listens, one connects and says what to do.

One TCP connection carries everything: the requests, each side's report, and what the two workers
say to each other (NIXL's metadata, descriptors, plans). Nothing is encrypted and nobody is asked
who they are, so the listener takes one peer, runs only transfers, and ends with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import select
import shutil
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.beds.processes import Process, user_environment
from nixl_stripe.lab.job import ALL_NICS, Job, Nixl, Role
from nixl_stripe.lab.outcome import SideReport
from nixl_stripe.lab.remote import RefusedError, checked_environment, checked_params
from nixl_stripe.lab.side import Ended, Environment, SideJob

Message = dict[str, Any]

DEFAULT_PORT = 18517
#: Where a listener listens unless it is given an address.
LOOPBACK = "127.0.0.1"
_HELLO_LIMIT_S = 10.0
_PROTOCOL = 1


class LinkLostError(StripeError):
    """The other side's command ended or the connection broke."""


class Link:
    """Lines of JSON over TCP, sorted by addressee: the other `verify`, or the worker here."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._rest = b""
        self._waiting: deque[Message] = deque()

    def send(self, message: Message) -> None:
        """Send one message to the other side's command."""
        self._send({"for": "verify", **message})

    def relay(self, line: bytes) -> None:
        """Send a line of the worker here to the worker there."""
        self._send({"for": "worker", "line": line.decode()})

    def pull(self) -> list[bytes]:
        """Read what has come; return the lines for the worker here. LinkLostError at the end."""
        try:
            piece = self.connection.recv(1 << 16)
        except OSError as error:
            raise LinkLostError(f"the connection to the other side broke: {error}") from None
        if not piece:
            raise LinkLostError("the other side closed the connection: its own output says why")
        *lines, self._rest = (self._rest + piece).split(b"\n")
        found: list[bytes] = []
        for line in lines:
            try:
                message = json.loads(line)
                addressee = message["for"]
            except (ValueError, KeyError, TypeError, RecursionError):
                raise LinkLostError("what connected is no nixl-stripe verify") from None
            if addressee == "worker":
                found.append(str(message["line"]).encode() + b"\n")
            else:
                self._waiting.append(message)
        return found

    def receive(self, limit_s: float, *expected: str) -> Message:
        """Return the next message of one of the kinds; LinkLostError after `limit_s` seconds."""
        end = time.monotonic() + limit_s
        while not self._waiting:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                raise LinkLostError(f"the other side said nothing for {limit_s:g} s")
            self.pull()
        message = self._waiting.popleft()
        if message.get("kind") not in expected:
            raise LinkLostError(
                f"the other side said {message.get('kind')!r} where {' or '.join(expected)} was "
                "expected: use the same nixl-stripe on both"
            )
        return message

    def run(
        self,
        job: SideJob,
        environment: dict[str, str],
        folder: Path,
        interpreter: Sequence[str | Path] = (),
    ) -> Ended:
        """Run this side of a transfer, its channel being this link, and return how it ended."""
        mine, its = socket.socketpair()
        end = time.monotonic() + job.total_limit_s
        with mine:
            with its:
                side = Process(job, folder, its, environment, interpreter)
            with side:
                late = not self._serve(mine, side, end)
        return side.ended(late)

    def _serve(self, channel: socket.socket, side: Process, end: float) -> bool:
        """Carry lines between the workers until ours has ended; False at the time's end."""
        rest = b""
        open_ends: list[socket.socket] = [channel, self.connection]
        while side.process.poll() is None or channel in open_ends:
            left = end - time.monotonic()
            if left <= 0:
                return False
            ready = select.select(open_ends, [], [], min(left, 0.2))[0]
            if self.connection in ready:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    for line in self.pull():
                        channel.sendall(line)
                    if self._waiting:  # the worker there has ended, ours must not wait for it
                        channel.shutdown(socket.SHUT_WR)
            if channel in ready:
                piece = channel.recv(1 << 16)
                if not piece:
                    open_ends.remove(channel)
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self.relay(line)
        return True

    def _send(self, message: Message) -> None:
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise LinkLostError(f"the connection to the other side broke: {error}") from None


def hello() -> Message:
    """Return what both sides say first; the boot tells whether they are one host."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return {
        "kind": "hello",
        "protocol": _PROTOCOL,
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else "",
    }


def is_one_host(theirs: Message) -> bool:
    """Return whether the other side runs on this host."""
    ours = hello()["boot"]
    return bool(ours) and ours == theirs.get("boot")


def parse_address(text: str, default_host: str = "") -> tuple[str, int]:
    """Read `host:port`, `[v6]:port`, `:port`, `port` or `host`; UsageError for anything else."""
    text = text.strip()
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = ("", text) if text.isdecimal() else (text, str(DEFAULT_PORT))
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        raise UsageError(f"address {text!r}: an IPv6 address stands in brackets, [fe80::1]:18517")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"address {text!r}: accepted are HOST:PORT with a port of 1 to 65535")
    return host.strip("[]") or default_host, int(port)


class TwoHosts(Bed):
    """The connecting side: the initiator of every transfer."""

    name = "hosts"

    def __init__(self, address: str, wait_s: float = 30.0) -> None:
        host, port = parse_address(address, "127.0.0.1")
        self._folder = Path(tempfile.mkdtemp(prefix="nixl-stripe-verify-"))
        try:
            self._link = Link(_connect(host, port, wait_s))
            self._link.send(hello())
            theirs = self._link.receive(_HELLO_LIMIT_S, "hello")
            if theirs.get("protocol") != _PROTOCOL:
                raise StripeError(f"{address}: another nixl-stripe; use the same on both hosts")
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._one_host = is_one_host(theirs)
        self.where = f"from {socket.gethostname()} to {theirs.get('host')} ({host}:{port})"
        self.notes = (
            ("both ends are one host: shared memory was ruled out unless UCX_TLS was set",)
            if self._one_host
            else ()
        )

    def close(self) -> None:
        """Close the connection; the other side's command then ends."""
        self._link.connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Run our job here and have the other side run its own."""
        start = time.monotonic()
        mine, theirs = jobs["initiator"], cast("Job", jobs["target"])
        portable = dataclasses.replace(theirs, nixl=Nixl())  # its folders are not ours
        case = {"job": portable.to_json(), "environment": dict(changes["target"])}
        self._link.send({"kind": "case", **case})
        self._link.receive(_HELLO_LIMIT_S, "ready")
        env = user_environment(changes["initiator"], self._one_host)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        ended = self._link.run(mine, env, folder, interpreter)
        report = SideReport.of(mine.role, ended)
        self._link.send({"kind": "report", "report": report.to_json()})
        answer = self._link.receive(mine.total_limit_s, "report")["report"]
        other = SideReport.from_json(answer)
        wall = time.monotonic() - start
        far = Ended(other.exit_status, other.log, answer, wall_s=wall)
        return {"initiator": dataclasses.replace(ended, wall_s=wall), "target": far}

    def finish(self, report: Message, text: str) -> None:
        """Tell the other side the result, so that it can show it and end with the same status."""
        self._link.send({"kind": "bye", "report": report, "text": text})


class Listener:
    """The listening side: the target of every transfer, for one peer."""

    def __init__(self, address: str) -> None:
        host, port = parse_address(address, LOOPBACK)
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._server = socket.create_server((host, port), family=family)
        except OSError as error:
            raise StripeError(f"--listen {address}: {error.strerror or error}") from None
        self.address = f"{host}, port {port}"

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    def serve(
        self,
        nixl: Nixl,
        params: dict[str, str] | None = None,
        say: Callable[[str], None] = print,
    ) -> Message:
        """Serve one peer and return its last message: `report` and `text`.

        params: this side's own backend parameters for the peer's non-empty ones; None takes the
        peer's. LinkLostError when the peer goes away before it is done.
        """
        connection, peer = self._server.accept()
        folder = Path(tempfile.mkdtemp(prefix="nixl-stripe-verify-"))
        try:
            with connection:
                link = Link(connection)
                theirs = link.receive(_HELLO_LIMIT_S, "hello")
                link.send(hello())
                say(f"{theirs.get('host')} ({peer[0]}) has connected")
                return _serve_cases(link, is_one_host(theirs), nixl, params, folder, say)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _serve_cases(
    link: Link,
    one_host: bool,
    nixl: Nixl,
    params: dict[str, str] | None,
    folder: Path,
    say: Callable[[str], None],
) -> Message:
    idle_s = 600.0
    while True:
        message = link.receive(idle_s, "case", "bye")
        if message["kind"] == "bye":
            return message
        try:
            job = _own(Job.from_json(message["job"]), nixl)
            changes = checked_environment(message["environment"])
        except RefusedError as error:
            raise LinkLostError(f"the other side asks for what is refused: {error}") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise LinkLostError(f"the other side asks for what is no transfer: {error}") from None
        if params is not None and job.backend_params:
            job = dataclasses.replace(job, backend_params=params)
        say(f"{job.op}: {job.repeats} transfer(s), parameters {dict(job.backend_params) or 'none'}")
        link.send({"kind": "ready"})
        env = user_environment(changes, one_host)
        ended = link.run(job, env, Path(tempfile.mkdtemp(dir=folder)))
        report = SideReport.of(job.role, ended)
        link.send({"kind": "report", "report": report.to_json()})
        link.receive(job.total_limit_s, "report")


def _own(job: Job, nixl: Nixl) -> Job:
    """Return the peer's job with what is not for the peer to choose."""
    return dataclasses.replace(
        job,
        role="target",
        nixl=nixl,
        backend="UCX",
        backend_params=checked_params(job.backend_params),
        agent_config={},
        counters=ALL_NICS,
        shim=False,
        beside=None,
    )


def _connect(host: str, port: int, wait_s: float) -> socket.socket:
    """Connect, again and again for `wait_s` seconds: either side may be started first."""
    end = time.monotonic() + wait_s
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=5.0)
            connection.settimeout(None)
            return connection
        except OSError as error:  # noqa: PERF203 - trying again is the point
            if time.monotonic() + 0.5 > end or isinstance(error, socket.gaierror):
                why = error.strerror or str(error)
                raise StripeError(
                    f"--connect {host}:{port}: {why}; run `nixl-stripe verify --listen` there, "
                    "and let the port through"
                ) from None
            time.sleep(0.5)
