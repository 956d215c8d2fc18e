# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured: every combination of shape, operation, threads, progress thread, transport."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

#: Name of each side, and the backend parameters that it adds. Two of them are the same stock NIXL:
#: what lies between these twins is what a ratio cannot tell from noise.
MODES: dict[str, dict[str, str]] = {
    "stock": {},
    "stock twin": {},
    "patched": {},
    "spread": {"stripe_small": "spread", "max_rma_rails": "2"},
}

#: What UCX may use, by transport. Shared memory moves the bytes of `shm`; TCP is there for NIXL's
#: own messages, since NIXL wants a transport that tells when a peer fails.
TRANSPORTS: dict[str, dict[str, str]] = {
    "tcp": {"UCX_TLS": "tcp", "UCX_NET_DEVICES": "lo"},
    "shm": {"UCX_TLS": "sm,self,tcp", "UCX_NET_DEVICES": "lo"},
}

#: Descriptors in a request, and bytes of each.
SHAPES: tuple[tuple[int, int], ...] = ((1000, 4096), (290, 28 * 1024))

OPERATIONS = ("WRITE", "READ")
THREADS = (1, 4, 8)
PROGRESS_THREAD = (True, False)


@dataclass(frozen=True)
class Cell:
    """One cell of the grid."""

    transport: str
    threads: int
    progress_thread: bool
    descriptors: int
    bytes: int
    operation: str

    @property
    def params(self) -> dict[str, str]:
        """Backend parameters of the cell, for every side."""
        return {} if self.threads == 1 else {"num_threads": str(self.threads)}


def grid(transports: tuple[str, ...] = tuple(TRANSPORTS)) -> Iterator[Cell]:
    """Yield every cell; those that can share agents stand together."""
    for transport, threads, progress, shape, operation in itertools.product(
        transports, THREADS, PROGRESS_THREAD, SHAPES, OPERATIONS
    ):
        yield Cell(transport, threads, progress, *shape, operation)
