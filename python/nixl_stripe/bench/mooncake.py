# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Mooncake's Transfer Engine in place of NIXL: the same buffers, checks and counters."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import time
from collections.abc import Sequence
from typing import Any

from nixl_stripe.bench.work import BenchJob, Took
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.channel import Message
from nixl_stripe.lab.job import Op
from nixl_stripe.lab.worker import TransferError
from nixl_stripe.memory.blocks import Span
from nixl_stripe.planning.subnets import interface_address

#: Distributions that hold the module `mooncake`, each for other hardware.
DISTRIBUTIONS = (
    "mooncake-transfer-engine-non-cuda",
    "mooncake-transfer-engine",
    "mooncake-transfer-engine-cuda13",
)


class MooncakeEngine:
    """A Transfer Engine on RDMA, peer to peer, without a metadata server.

    Of `BenchJob.params` it takes `cut`: bytes of the requests that the caller makes of a longer
    buffer, none by default. Everything else is Mooncake's own environment (MC_*).
    """

    def __init__(self, job: BenchJob) -> None:
        unknown = sorted(set(job.params) - {"cut"})
        if unknown:
            raise ValueError(f"params {', '.join(unknown)}: Mooncake takes cut")
        sys.path[:0] = job.nixl.paths
        self.version = _version()
        self._cut = int(job.params.get("cut", 0))
        self._agent: Any = _engine_class()()
        self._address = address_of(job.counters[0])
        start = time.perf_counter()
        status = self._agent.initialize(self._address, "P2PHANDSHAKE", "rdma", "")
        self.create_s = time.perf_counter() - start
        if status != 0:
            raise StripeError(
                f"Mooncake did not start on {self._address}: initialize returned {status}"
            )
        self._registered: list[list[int]] = []

    def register(self, spans: Sequence[Span], segment: str, coalesce: bool) -> int:
        """Register buffer by buffer; return how many."""
        _require_host_memory(segment)
        if coalesce:
            raise ValueError("coalesce: Mooncake registers buffer by buffer")
        addresses = [address for address, _ in spans]
        status = self._agent.batch_register_memory(addresses, [size for _, size in spans])
        if status != 0:
            raise StripeError(
                f"Mooncake did not register {len(spans)} buffers: it returned {status}"
            )
        self._registered.append(addresses)
        return len(spans)

    def describe(self, spans: Sequence[Span], segment: str) -> None:
        """Choose what the next requests move."""
        _require_host_memory(segment)
        self._spans = list(spans)

    def hello(self) -> Message:
        """Return where this engine listens, and the addresses of its buffers."""
        return {
            "segment": f"{self._address}:{self._agent.get_rpc_port()}",
            "addresses": [address for address, _ in self._spans],
        }

    def meet(self, hello: Message) -> None:
        """Keep the peer's; the engine asks the peer for its keys when it first needs them."""
        self._peer = hello["segment"]
        self._peer_addresses = hello["addresses"]

    def prepare(self, op: Op) -> None:
        """Make the request for all buffers."""
        agent = self._agent
        read, write = agent.batch_transfer_sync_read, agent.batch_transfer_sync_write
        self._call = read if op == "READ" else write
        self._pieces = pieces(self._spans, self._peer_addresses, self._cut)

    def transfer(self, limit_s: float) -> Took:
        """Post the request and wait for it; Mooncake itself gives up after 30 s."""
        start = time.perf_counter()
        status = self._call(self._peer, *self._pieces)
        seconds = time.perf_counter() - start
        if status != 0:
            raise TransferError(
                f"Mooncake ended the transfer with status {status} after {seconds:.1f} s"
            )
        if seconds > limit_s:
            raise TimeoutError(f"the transfer took {seconds:.1f} s, more than {limit_s:g} s")
        return Took(seconds)

    def release(self) -> None:
        """Give the request up: it is a list."""
        self._pieces = ([], [], [])

    def deregister(self) -> None:
        """Take the memory back that was registered first."""
        status = self._agent.batch_unregister_memory(self._registered.pop(0))
        if status != 0:
            raise StripeError(f"Mooncake did not deregister: it returned {status}")


def pieces(
    spans: Sequence[Span], peers: Sequence[int], cut: int
) -> tuple[list[int], list[int], list[int]]:
    """Return local addresses, the peer's, and lengths of at most `cut` bytes; 0: whole buffers."""
    mine: list[int] = []
    theirs: list[int] = []
    lengths: list[int] = []
    for (address, size), peer in zip(spans, peers, strict=True):
        step = cut or size
        for offset in range(0, size, step):
            mine.append(address + offset)
            theirs.append(peer + offset)
            lengths.append(min(step, size - offset))
    return mine, theirs, lengths


def address_of(netdev: str) -> str:
    """Return a network interface's IPv4 address; StripeError where it has none."""
    try:
        return str(interface_address(netdev).ip)
    except OSError as error:
        raise StripeError(f"{netdev}: no IPv4 address: {error.strerror}") from error


def _require_host_memory(segment: str) -> None:
    if segment != "DRAM":
        raise ValueError(f"{segment}: Mooncake is measured with DRAM here")


def _engine_class() -> Any:
    try:
        return importlib.import_module("mooncake.engine").TransferEngine
    except ImportError as error:
        raise StripeError(
            f"Mooncake's Transfer Engine does not load: {error}; pip install 'nixl-stripe[peer]' "
            "gets the build that needs no CUDA"
        ) from error


def _version() -> str | None:
    found = (importlib.metadata.distributions(name=name) for name in DISTRIBUTIONS)
    return next((each.version for several in found for each in several), None)
