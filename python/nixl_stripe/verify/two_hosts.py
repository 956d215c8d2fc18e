# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification between two hosts: one listens, one connects and says what to do.

One TCP connection carries everything: the requests, each side's report, and what the two workers
say to each other (NIXL's metadata, descriptors, plans). `lab.remote` is who comes in, and what is
believed of what they say; NIXL's own data path asks nobody who they are.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.beds.processes import user_environment
from nixl_stripe.lab.job import Job, Nixl, Role
from nixl_stripe.lab.outcome import SideReport
from nixl_stripe.lab.remote import Address, Door, Link, LinkLostError, RefusedError, Token, connect
from nixl_stripe.lab.remote.bounds import DEFAULT_MAX_BYTES
from nixl_stripe.lab.side import Ended, Environment, SideJob
from nixl_stripe.scratch import Scratch
from nixl_stripe.verify import messages
from nixl_stripe.verify.messages import Message

#: Seconds for the other side to answer what needs no transfer, and to ask for the next one.
_ANSWER_LIMIT_S, _IDLE_LIMIT_S = 10.0, 600.0


class TwoHosts(Bed):
    """The connecting side: the initiator of every transfer."""

    name = "hosts"

    def __init__(self, address: Address, token: Token, wait_s: float = 30.0) -> None:
        hello = {**messages.hello(), "verb": "verify"}
        self._link, theirs = connect(
            address, token.key(), hello, messages.TO_CONNECTOR, wait_s=wait_s
        )
        self._scratch = Scratch("verify")
        self._one_host = messages.is_one_host(theirs)
        self.where = f"from {socket.gethostname()} to {theirs['host']} ({address})"
        self.notes = (
            ("both ends are one host: shared memory was ruled out unless UCX_TLS was set",)
            if self._one_host
            else ()
        )

    def close(self) -> None:
        """Close the connection; the other side's command then ends."""
        self._link.close()
        self._scratch.close()

    def sides(
        self,
        jobs: Mapping[Role, SideJob],
        changes: Mapping[Role, Environment],
        interpreter: Sequence[str | Path] = (),
    ) -> dict[Role, Ended]:
        """Run our job here and have the other side run its own."""
        start = time.monotonic()
        mine, theirs = jobs["initiator"], cast("Job", jobs["target"])
        environment = dict(changes["target"])
        self._link.send("case", job=messages.asked(theirs), environment=environment)
        self._link.receive(_ANSWER_LIMIT_S, "ready")
        env = user_environment(changes["initiator"], self._one_host)
        ended = self._link.run(mine, env, self._scratch.folder(), interpreter)
        self._link.send("report", report=messages.told(SideReport.of(mine.role, ended)))
        answer = self._link.receive(mine.total_limit_s, "report")["report"]
        wall = time.monotonic() - start
        far = Ended(answer["exit_status"], answer["log"], json.dumps(answer), wall_s=wall)
        return {"initiator": dataclasses.replace(ended, wall_s=wall), "target": far}

    def finish(self, report: Message, text: str) -> None:
        """Tell the other side the result, so that it can show it and end with the same status."""
        self._link.send("bye", report=report, text=text)


class Listener:
    """The listening side: the target of every transfer, for one peer.

    max_bytes: what one case may move. say: is told what happens, a line each.
    """

    def __init__(
        self,
        address: Address,
        token: Token,
        say: Callable[[str], None] = print,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self._say = say
        self._max_bytes = max_bytes
        self._door = Door(address, token.key(), say)
        self.port = self._door.port

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._door.__exit__()

    def serve(self, nixl: Nixl, params: Mapping[str, str] | None = None) -> Message:
        """Serve one peer and return its last message: `report` and `text`.

        params: this side's own backend parameters for the peer's non-empty ones; None takes the
        peer's. LinkLostError when the peer goes away before it is done, or asks for too much.
        """
        link, theirs, host = self._door.admit(messages.TO_LISTENER)
        try:
            link.send(**messages.hello())
            self._say(f"{theirs['host']} ({host}) has connected")
            with Scratch("verify") as folder:
                return self._serve(link, messages.is_one_host(theirs), nixl, params, folder)
        finally:
            link.close()
            self._door.leave()

    def _serve(
        self,
        link: Link,
        one_host: bool,
        nixl: Nixl,
        params: Mapping[str, str] | None,
        scratch: Path,
    ) -> Message:
        number = 0
        while True:
            message = link.receive(_IDLE_LIMIT_S, "case", "bye")
            if message["kind"] == "bye":
                return message
            try:
                job = messages.own_job(message["job"], nixl, params, self._max_bytes)
            except RefusedError as error:
                link.refuse("refused", str(error))
                raise LinkLostError(f"what the other side asks for is refused: {error}") from None
            self._say(f"{job.op}: {job.repeats} transfer(s), parameters {_shown(job)}")
            link.send("ready")
            number += 1
            folder = scratch / str(number)
            folder.mkdir()
            env = user_environment(message["environment"], one_host)
            ended = link.run(job, env, folder)
            link.send("report", report=messages.told(SideReport.of(job.role, ended)))
            link.receive(job.total_limit_s, "report")


def _shown(job: Job) -> dict[str, Any] | str:
    return dict(job.backend_params) or "none"
