# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory, traffic and how many workers a peer may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nixl_stripe.proof.text import bytes_text
from nixl_stripe.untrusted import RefusedError

#: For `--max-bytes`: what one case moves, all buffers times all transfers.
DEFAULT_MAX_BYTES = 256 << 30
#: Workers and threads of UCX in all agents of a case: one agent may have the most of both that
#: `settings` takes. Each worker opens queues on every NIC, each thread has a worker of its own.
MAX_WORKERS = 128


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def check_amount(
    held: int,
    moved: int,
    max_bytes: int,
    agents: Sequence[Mapping[str, str]] = (),
    available: Callable[[], int] = _available,
) -> None:
    """Raise RefusedError where a case is too large for this host.

    held: bytes of all its buffers, which may take half of the memory that is free now. moved: what
    all its transfers move together. agents: the backend parameters of each, after `settings`.
    """
    workers = sum(
        int(each.get("num_workers", 1)) + int(each.get("num_threads", 0)) for each in agents
    )
    if workers > MAX_WORKERS:
        raise RefusedError(
            f"num_workers and num_threads of {len(agents)} agent(s) make {workers}: accepted are "
            f"at most {MAX_WORKERS} in all"
        )
    if moved > max_bytes:
        raise RefusedError(
            f"a case that moves {bytes_text(moved)}: accepted are at most {bytes_text(max_bytes)}; "
            "start the listener with a higher --max-bytes"
        )
    free = available() // 2
    if held > free:
        raise RefusedError(
            f"buffers of {bytes_text(held)}: accepted is half of this host's free memory, "
            f"{bytes_text(free)}"
        )
