# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Listeners of both commands in a thread, and peers of every kind that come to them."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any, Literal

from nixl_stripe.bench import hosts
from nixl_stripe.bench import messages as bench_messages
from nixl_stripe.bench.work import Work
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.remote import Address, Door, Link, Token, connect
from nixl_stripe.lab.remote.bounds import DEFAULT_MAX_BYTES
from nixl_stripe.verify import Listener
from nixl_stripe.verify import messages as verify_messages

Verb = Literal["verify", "bench"]
TOKEN = Token("a-token-of-the-tests-0123456789")
KEY = TOKEN.key()
OTHER_KEY = Token("another-token-of-the-tests-0123").key()

VERIFY_JOB: dict[str, Any] = {
    "op": "WRITE",
    "sizes": [4096],
    "memory": "dram",
    "repeats": 1,
    "backend_params": {"stripe": "all"},
    "limit_s": 5.0,
}
WORK: dict[str, Any] = {
    **dataclasses.asdict(Work("w", (4096,), "WRITE", warmup=0, repeats=1)),
    "sizes": [4096],
}
BENCH_JOB: dict[str, Any] = {
    "works": [WORK],
    "memory": "dram",
    "params": {"stripe": "all"},
    "rivals": [],
    "corrupt": False,
    "limit_s": 1.0,
}
#: What asks a listener for a case: the kind of the message and its fields.
CASES: dict[Verb, tuple[str, dict[str, Any]]] = {
    "verify": ("case", {"job": VERIFY_JOB, "environment": {"UCX_TLS": "tcp"}}),
    "bench": ("run", {"job": BENCH_JOB, "environment": {"UCX_TLS": "tcp"}}),
}
HELLOS: dict[Verb, dict[str, Any]] = {
    "verify": {"kind": "hello", "verb": "verify", "host": "h", "boot": "b"},
    "bench": {"kind": "hello", "verb": "bench"},
}


class Listening:
    """A listener on a free port of loopback, for a `with` statement.

    said: its lines. result: what it returned; error: the StripeError that ended it.
    """

    def __init__(self, verb: Verb, nixl: Nixl | None = None, limit_s: float = 60.0) -> None:
        self.verb = verb
        self.said: list[str] = []
        self.result: Any = None
        self.error: StripeError | None = None
        self._nixl = nixl or Nixl()
        self._limit_s = limit_s
        self._ready = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Listening:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended()

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    @property
    def waits(self) -> bool:
        return self._thread.is_alive()

    def ended(self) -> str:
        """End it, if need be by a peer that says bye, and return its error's text."""
        if self._thread.is_alive():
            try:
                link = self.peer(wait_s=1)
                link.close()
            except StripeError:
                pass
        self._thread.join(30)
        assert not self._thread.is_alive()
        return str(self.error or "")

    def peer(self, key: bytes = KEY, wait_s: float = 10.0) -> Link:
        """Connect as our own command does."""
        schemas = {
            "verify": verify_messages.TO_CONNECTOR,
            "bench": bench_messages.TO_CONNECTOR,
        }[self.verb]
        return connect(self.address, key, HELLOS[self.verb], schemas, wait_s)[0]

    def _serve(self) -> None:
        try:
            if self.verb == "verify":
                with Listener(Address("127.0.0.1", 0), TOKEN, self.said.append) as listener:
                    self.port = listener.port
                    self._ready.set()
                    self.result = listener.serve(self._nixl)
                return
            with Door(Address("127.0.0.1", 0), KEY, self.said.append) as door:
                self.port = door.port
                self._ready.set()
                self.result = hosts.serve_at(
                    door, self.said.append, self._limit_s, DEFAULT_MAX_BYTES
                )
        except StripeError as error:
            self.error = error


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
