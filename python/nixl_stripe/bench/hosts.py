# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A benchmark between two real hosts: one listens, the other connects and leads.

NIXL's own metadata goes over a TCP connection for each case; a second one, kept for the whole run,
carries jobs there and reports back. The listener starts only its own NIXL, with the parameters and
variables that `lab.remote` lets a peer choose.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nixl_stripe.bench.pair import BenchFailedError
from nixl_stripe.bench.work import BenchJob, BenchReport
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.beds.base import Bed, merged
from nixl_stripe.lab.beds.processes import Process
from nixl_stripe.lab.channel import PeerFailedError, SocketChannel
from nixl_stripe.lab.job import Nixl, Role
from nixl_stripe.lab.remote import RefusedError, checked_environment, checked_params
from nixl_stripe.lab.side import Ended, Environment, SideJob

#: Seconds for the peer to come up, and for it to answer beyond a job's own limit.
_CONNECT_LIMIT_S = 60.0
_GRACE_S = 20.0


@dataclass(frozen=True)
class Address:
    """Where a listener is."""

    host: str
    port: int

    @classmethod
    def parse(cls, option: str, text: str, default_host: str | None = None) -> Address:
        """Read `HOST:PORT`, or `PORT` where there is a default host; UsageError otherwise."""
        host, colon, port = text.rpartition(":")
        host = host.strip("[]") if colon else (default_host or "")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            wanted = "HOST:PORT" if default_host is None else "PORT or ADDRESS:PORT"
            raise UsageError(f"{option} {text}: accepted is {wanted}, the port being 1..65535")
        return cls(host, int(port))


def serve(address: Address, say: Callable[[str], None], limit_s: float = 3600.0) -> int:
    """Be the target of one run and return how many cases it had; StripeError after `limit_s`."""
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise StripeError(f"--listen {address.host}:{address.port}: {error.strerror}") from error
    with listener:
        listener.settimeout(limit_s)
        say(f"listening at {address.host}:{address.port}")
        try:
            control, peer = listener.accept()
        except TimeoutError:
            raise StripeError(f"--listen: nobody connected for {limit_s:g} s") from None
        with control:
            return _serve(SocketChannel(control), listener, peer[0], say, limit_s)


def _serve(
    control: SocketChannel,
    listener: socket.socket,
    peer: str,
    say: Callable[[str], None],
    limit_s: float,
) -> int:
    listener.settimeout(_CONNECT_LIMIT_S)
    cases = 0
    while True:
        try:
            order = control.receive(limit_s)
        except PeerFailedError:
            return cases
        job, environment = _accepted(order)
        control.send({"kind": "ready"})
        channel, other = listener.accept()
        with channel:
            if other[0] != peer:
                raise StripeError(f"--listen: {other[0]} connected during a run with {peer}")
            cases += 1
            say(f"case {cases}")
            report = BenchReport.of("target", run_worker(job, channel, environment))
        control.send({"kind": "report", "report": json.loads(report.to_json())})


def _accepted(order: Mapping[str, object]) -> tuple[BenchJob, dict[str, str]]:
    """Return what the peer asks for without what is not for it to choose; RefusedError."""
    try:
        job = BenchJob.from_json(json.dumps(order["job"]))
        environment = checked_environment(order["environment"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RefusedError(f"the other side asks for what is no benchmark: {error}") from None
    if job.engine != "nixl":
        raise RefusedError(f"engine {job.engine}: accepted from a peer is nixl")
    own = replace(
        job.for_role("target"),
        nixl=Nixl(),
        params=checked_params(job.params),
        rivals=tuple(checked_params(each) for each in job.rivals),
        counters=(),
    )
    return own, {key: value for key, value in environment.items() if value is not None}


def run_worker(
    job: SideJob,
    channel: socket.socket,
    environment: Environment,
    interpreter: Sequence[str | Path] = (),
) -> Ended:
    """Run one side here, in a fresh process, over a connected socket.

    It has this host's own UCX_* and NIXL_* variables, and those of `environment` over them.
    """
    full = merged(os.environ, environment)
    with (
        tempfile.TemporaryDirectory(prefix="nixl-stripe-bench-") as made,
        Process(job, Path(made), channel, full, interpreter) as process,
    ):
        in_time = process.wait()
        return process.ended(late=not in_time)


class HostBed(Bed):
    """The host at hand as initiator and a listening one as target."""

    name = "hosts"
    where = "to the listening host"

    def __init__(self, address: Address, control: socket.socket, counters: Sequence[str]) -> None:
        self._address = address
        self._connection = control
        self._control = SocketChannel(control)
        self.counters = tuple(counters)

    def close(self) -> None:
        """Let the listener go."""
        self._connection.close()

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Send the target its job, run the initiator here."""
        job = json.loads(jobs["target"].to_json())
        order = {"kind": "run", "job": job, "environment": dict(changes["target"])}
        limit = jobs["target"].total_limit_s + _GRACE_S
        try:
            self._control.send(order)
            self._control.receive(_CONNECT_LIMIT_S)
            with _connected(self._address, _CONNECT_LIMIT_S) as channel:
                mine = run_worker(jobs["initiator"], channel, changes["initiator"], interpreter)
            theirs = self._control.receive(limit)["report"]
        except (PeerFailedError, TimeoutError) as error:
            raise BenchFailedError(f"the listening host: {error}") from error
        return {"initiator": mine, "target": Ended(None, "", json.dumps(theirs))}


@contextlib.contextmanager
def connect(address: Address) -> Iterator[HostBed]:
    """Lead a run with the listener at `address`; waits a minute for it to come up."""
    with HostBed(address, _connected(address, _CONNECT_LIMIT_S), _counters()) as bed:
        yield bed


def _counters() -> list[str]:
    """Return the NICs whose bytes are read: those that `stripe=all` would use."""
    from nixl_stripe.planning.planner import plan

    return [device.partition(":")[0] for device in plan("all").devices]


def _connected(address: Address, limit_s: float) -> socket.socket:
    end = time.monotonic() + limit_s
    while True:
        made = _attempt(address)
        if isinstance(made, socket.socket):
            return made
        if time.monotonic() > end:
            where = f"{address.host}:{address.port}"
            raise StripeError(f"--connect {where}: {made.strerror or made}")
        time.sleep(0.2)


def _attempt(address: Address) -> socket.socket | OSError:
    try:
        return socket.create_connection((address.host, address.port), timeout=None)
    except OSError as error:
        return error
