# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A benchmark between two real hosts: one listens, the other connects and leads.

One connection, kept for the whole run, carries jobs there, reports back, and what the two workers
of a case say to each other. `lab.remote` is who comes in and what a peer may choose; each host uses
its own NIXL.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from nixl_stripe.bench import messages
from nixl_stripe.bench.pair import BenchFailedError
from nixl_stripe.bench.work import BenchJob, BenchReport
from nixl_stripe.lab.beds.base import Bed, merged
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.remote import Address, Door, Link, LinkLostError, RefusedError, Token
from nixl_stripe.lab.remote import connect as connect_link
from nixl_stripe.lab.remote.bounds import DEFAULT_MAX_BYTES
from nixl_stripe.lab.side import Ended, Environment, SideJob
from nixl_stripe.scratch import Scratch

#: Seconds for the peer to come up, and for it to answer beyond a job's own limit.
_CONNECT_LIMIT_S = 60.0
_ANSWER_LIMIT_S = 20.0


def serve(
    address: Address,
    token: Token,
    say: Callable[[str], None],
    limit_s: float = 3600.0,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> int:
    """Be the target of one run and return how many cases it had.

    StripeError where nobody with the token came within `limit_s` seconds, LinkLostError where the
    peer went away without a word, or asked for what is refused. max_bytes: what a case may move.
    """
    with Door(address, token.key(), say) as door:
        say(f"listening at {address}")
        return serve_at(door, say, limit_s, max_bytes)


def serve_at(door: Door, say: Callable[[str], None], limit_s: float, max_bytes: int) -> int:
    """Do the same for the first peer that comes in at `door`."""
    link, _, host = door.admit(messages.TO_LISTENER, limit_s)
    try:
        link.send("hello")
        say(f"{host} has connected")
        return _serve(link, say, limit_s, max_bytes)
    finally:
        link.close()
        door.leave()


def _serve(link: Link, say: Callable[[str], None], limit_s: float, max_bytes: int) -> int:
    cases = 0
    while True:
        order = link.receive(limit_s, "run", "bye")
        if order["kind"] == "bye":
            return cases
        try:
            job = messages.own_job(order["job"], max_bytes)
        except RefusedError as error:
            link.refuse("refused", str(error))
            raise LinkLostError(f"what the other side asks for is refused: {error}") from None
        cases += 1
        say(f"case {cases}")
        link.send("ready")
        report = BenchReport.of("target", run_worker(link, job, order["environment"]))
        link.send("report", report=messages.told(report))


def run_worker(
    link: Link,
    job: SideJob,
    environment: Environment,
    interpreter: Sequence[str | Path] = (),
) -> Ended:
    """Run one side here, in a fresh process, its channel being the link.

    It has this host's own variables, and those of `environment` over them.
    """
    with Scratch("bench") as folder:
        return link.run(job, merged(os.environ, environment), folder, interpreter)


class HostBed(Bed):
    """The host at hand as initiator and a listening one as target."""

    name = "hosts"
    where = "to the listening host"

    def __init__(self, link: Link, counters: Sequence[str]) -> None:
        self._link = link
        self.counters = tuple(counters)

    def close(self) -> None:
        """Let the listener go."""
        with contextlib.suppress(LinkLostError):
            self._link.send("bye")
        self._link.close()

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Send the target its job, run the initiator here."""
        link, mine, theirs = self._link, jobs["initiator"], cast("BenchJob", jobs["target"])
        start = time.monotonic()
        try:
            link.send("run", job=messages.asked(theirs), environment=dict(changes["target"]))
            link.receive(_ANSWER_LIMIT_S, "ready")
            ended = run_worker(link, mine, changes["initiator"], interpreter)
            left = max(0.0, theirs.total_limit_s - (time.monotonic() - start))
            report = link.receive(left + _ANSWER_LIMIT_S, "report")["report"]
        except (LinkLostError, RefusedError) as error:
            raise BenchFailedError(f"the listening host: {error}") from error
        return {"initiator": ended, "target": Ended(None, "", json.dumps(report))}


@contextlib.contextmanager
def connect(address: Address, token: Token) -> Iterator[HostBed]:
    """Lead a run with the listener at `address`; waits a minute for it to come up."""
    hello = {"kind": "hello", "verb": "bench"}
    link, _ = connect_link(address, token.key(), hello, messages.TO_CONNECTOR, _CONNECT_LIMIT_S)
    with HostBed(link, _counters()) as bed:
        yield bed


def _counters() -> list[str]:
    """Return the NICs whose bytes are read: those that `stripe=all` would use."""
    from nixl_stripe.planning.planner import plan

    return [device.partition(":")[0] for device in plan("all").devices]
