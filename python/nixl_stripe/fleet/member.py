# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A host's part in a fleet: it starts the worker and carries orders and answers to and fro."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.messages import TO_HOST, boot
from nixl_stripe.fleet.rank import Rank
from nixl_stripe.lab.beds.processes import user_environment
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.namespaces import die_with_parent
from nixl_stripe.lab.remote import Link, LinkLostError, bounds, connect
from nixl_stripe.lab.remote.door import Words
from nixl_stripe.lab.remote.link import wait_for
from nixl_stripe.scratch import Scratch

#: Seconds without a word from the hub after which it counts as gone.
_SILENT_S = 4 * 3600.0
_LOG_END = 2000
#: A pod's name is known only once the pod has an address.
_WORDS = Words("--hub", "start rank 0 there", names_come=True)


class Member:
    """One rank; `serve` returns how the run ended. say: is told what happens, a line each."""

    def __init__(
        self, rank: Rank, token_key: bytes, nixl: Nixl, say: Callable[[str], None]
    ) -> None:
        self._rank, self._key, self._nixl, self._say = rank, token_key, nixl, say

    def serve(self, wait_s: float) -> bool:
        """Take part until the hub says that it is over; whether the fleet was found healthy.

        wait_s: for the hub to be there. StripeError where it never is, or goes away.
        """
        hello = {
            "kind": "hello",
            "verb": "fleet",
            "rank": self._rank.number,
            "ranks": self._rank.ranks,
            "host": socket.gethostname(),
        }
        link, run = connect(self._rank.hub, self._key, hello, TO_HOST, wait_s, _WORDS)
        with contextlib.closing(link), Scratch("fleet") as folder:
            bounds.check_amount(
                run["size"], run["size"], bounds.DEFAULT_MAX_BYTES, (run["params"],)
            )
            self._say(f"in the fleet as {run['name']}, of {self._rank.ranks}")
            with _Worker(run, self._nixl, self._is_beside(run), folder) as worker:
                return self._carry(link, worker)

    def _is_beside(self, run: Message) -> bool:
        """Return whether the hub's own worker runs on this host as well."""
        return bool(self._rank.number and run["boot"] and run["boot"] == boot())

    def _carry(self, link: Link, worker: _Worker) -> bool:
        end = time.monotonic() + _SILENT_S
        while time.monotonic() < end:
            ready = wait_for([link.connection, worker.channel], 60.0)
            if worker.channel in ready:
                try:
                    answers = worker.answers()
                except EOFError:
                    why = worker.obituary()
                    link.send("ended", text=why)
                    raise StripeError(why) from None
                for answer in answers:
                    link.send(**answer)
            if link.connection in ready:
                end = time.monotonic() + _SILENT_S
                for order in link.arrived():
                    if order["kind"] == "bye":
                        return bool(order["ok"])
                    worker.tell(order)
        raise LinkLostError(f"the hub said nothing for {_SILENT_S / 3600:g} hours")


class _Worker:
    """The worker's process, and the lines to and from it."""

    def __init__(self, run: Message, nixl: Nixl, beside: bool, folder: Path) -> None:
        self.channel, its = socket.socketpair()
        self._log = folder / "worker.log"
        self._rest = b""
        with its, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "nixl_stripe.fleet.worker"),
                    *(str(its.fileno()), str(self._log)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=user_environment({}, beside),
                pass_fds=[its.fileno()],
                preexec_fn=die_with_parent,
                start_new_session=True,
            )
        first = {key: run[key] for key in ("name", "memory", "size", "params", "secret")}
        # The host's own, without what a run adds for its worker.
        first["environ"] = {k: v for k, v in os.environ.items() if k.startswith(("UCX_", "NIXL_"))}
        self.tell({**first, "nixl": dataclasses.asdict(nixl)})

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
        self._process.wait()

    def tell(self, order: Message) -> None:
        """Give it an order."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `answers` says so
            self.channel.sendall(json.dumps(order).encode() + b"\n")

    def answers(self) -> list[Message]:
        """Return what it has answered; EOFError when it has ended."""
        try:
            piece = self.channel.recv(1 << 18)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise EOFError
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [json.loads(line) for line in lines]

    def obituary(self) -> str:
        """Return how it ended, with the last line of what it said."""
        status = self._process.wait()
        said = self._log.read_text("utf-8", "replace")[-_LOG_END:].strip().splitlines()
        return f"its worker ended with status {status}: {said[-1] if said else 'no output'}"
