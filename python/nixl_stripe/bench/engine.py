# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What moves the bytes, one request at a time: a NIXL agent with one UCX backend, or a peer."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Sequence
from typing import Any, Protocol

from nixl_stripe.agents.unpatched import MARKER, needs_patch
from nixl_stripe.bench.work import BenchJob, Took
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.channel import Message
from nixl_stripe.lab.job import Op
from nixl_stripe.lab.worker import TransferError, import_nixl
from nixl_stripe.memory.blocks import Span
from nixl_stripe.memory.cold_move import nap, register_and_move
from nixl_stripe.memory.registration import Registration, register


class Engine(Protocol):
    """What a benchmark's worker drives, in this order; `register` to `release` once a work."""

    version: str | None
    create_s: float

    def register(self, spans: Sequence[Span], segment: str, coalesce: bool) -> int:
        """Register buffers, neighbours as one with `coalesce`; return the number of regions."""

    def describe(self, spans: Sequence[Span], segment: str) -> None:
        """Choose what the next requests move."""

    def hello(self) -> Message:
        """Return what the peer's `meet` needs."""

    def meet(self, hello: Message) -> None:
        """Take in the peer's `hello`."""

    def prepare(self, op: Op) -> None:
        """Make the request for all buffers."""

    def transfer(self, limit_s: float) -> Took:
        """Post the request, wait for it and return the times; raises where it fails."""

    def release(self) -> None:
        """Give the request up."""

    def deregister(self) -> None:
        """Take the memory back that was registered first."""


def open_engine(job: BenchJob) -> Engine:
    """Make the engine that `job` names."""
    if job.engine == "nixl":
        return NixlEngine(job)
    from nixl_stripe.bench.mooncake import MooncakeEngine

    return MooncakeEngine(job)


class NixlEngine:
    """A NIXL agent with one UCX backend."""

    def __init__(self, job: BenchJob) -> None:
        api = import_nixl(job.nixl)
        package = api.__name__.partition(".")[0].replace("_", "-")
        self.version = _version(package)
        alone = not job.rivals or job.role == "target"
        config = api.nixl_agent_config(enable_prog_thread=alone, backends=[])
        self._agent: Any = api.nixl_agent(job.role, config)
        ours = needs_patch(job.params)
        if ours and MARKER not in self._agent.get_plugin_params("UCX"):
            raise StripeError(
                f"{package} {self.version} is not patched and would ignore {', '.join(ours)}; "
                "run: nixl-stripe patch"
            )
        start = time.perf_counter()
        self._agent.create_backend("UCX", dict(job.params))
        self.create_s = time.perf_counter() - start
        self._peer: str | None = None
        self._registered: list[Registration] = []

    def register(self, spans: Sequence[Span], segment: str, coalesce: bool) -> int:
        """Register buffer by buffer, or through `nixl_stripe.registration`."""
        if coalesce:
            registration = register(self._agent, spans, segment)
            self._registered.append(registration)
            return len(registration.regions)
        made = self._agent.register_memory([(a, n, 0, "") for a, n in spans], segment)
        self._registered.append(Registration(self._agent, (made,), tuple(spans)))
        return len(spans)

    def register_and_move(
        self, op: Op, spans: Sequence[Span], segment: str, limit_s: float
    ) -> tuple[float, int]:
        """Register and move in portions; return seconds and regions."""
        start = time.perf_counter()
        made = register_and_move(
            self._agent, op, spans, segment, str(self._peer), self._peer_descs, limit_s=limit_s
        )
        seconds = time.perf_counter() - start
        self._registered.append(made)
        return seconds, len(made.regions)

    def describe(self, spans: Sequence[Span], segment: str) -> None:
        """Choose what the next requests move."""
        self._descs = self._agent.get_xfer_descs([(a, n, 0) for a, n in spans], segment)

    def hello(self) -> Message:
        """Return metadata and descriptors."""
        return {
            "metadata": self._agent.get_agent_metadata().hex(),
            "descs": self._agent.get_serialized_descs(self._descs).hex(),
        }

    def meet(self, hello: Message) -> None:
        """Load the peer's metadata, which replaces what was known of it."""
        name = self._agent.add_remote_agent(bytes.fromhex(hello["metadata"]))
        self._peer = name.decode() if isinstance(name, bytes) else name
        self._peer_descs = self._agent.deserialize_descs(bytes.fromhex(hello["descs"]))

    def prepare(self, op: Op) -> None:
        """Make the request for all buffers."""
        self._handle = self._agent.initialize_xfer(
            op, self._descs, self._peer_descs, self._peer, b""
        )

    def transfer(self, limit_s: float) -> Took:
        """Post the request and wait for it."""
        agent, handle = self._agent, self._handle
        start = time.perf_counter()
        state = agent.transfer(handle)
        posted = time.perf_counter() - start
        while state == "PROC":
            waited = time.perf_counter() - start
            if waited > limit_s:
                raise TimeoutError(f"the transfer was still going on after {limit_s:g} s")
            nap(waited)
            state = agent.check_xfer_state(handle)
        seconds = time.perf_counter() - start
        if state != "DONE":
            raise TransferError(f"the transfer ended in state {state}")
        return Took(seconds, posted)

    def release(self) -> None:
        """Give the request up."""
        self._agent.release_xfer_handle(self._handle)

    def deregister(self) -> None:
        """Take the memory back that was registered first."""
        self._registered.pop(0).close()


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
