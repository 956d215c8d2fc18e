# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where a soak runs: two namespaces with TCP rails, or two guests with Soft-RoCE NICs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nixl_stripe.lab.guests import Guests
from nixl_stripe.lab.guests.environment import BASE_ENVIRONMENT
from nixl_stripe.lab.job import Nixl, Role
from nixl_stripe.lab.rails.rails import Rails, rail_environment
from nixl_stripe.lab.side import Finished

_QUIET = {"UCX_PROTO_INFO": "n", "NIXL_LOG_LEVEL": "ERROR"}
Run = Callable[[Mapping[Role, Sequence[str]], Nixl, float], Mapping[Role, Finished]]


@dataclass(frozen=True)
class Ground:
    """A bed as a soak needs it."""

    name: str
    devices: tuple[str, ...]
    """Network interfaces whose bytes are counted."""
    sides: tuple[str, ...]
    """Which sides take their turns."""
    requests: int
    """Batches to each peer."""
    rude: int
    """Cycles of which one forks and one loses a peer."""
    least: int
    """Cycles that a side makes at least, so that there is a slope."""
    folder: Callable[[], Path]
    """Makes a folder that both ends see."""
    run: Run
    """Runs a program at each end for at most so many seconds."""


@contextmanager
def tcp(nics: int) -> Iterator[Ground]:
    """Rails without a limit; agents of one process meet over the loopback interface."""
    settings = {key: text for key, text in rail_environment("dram").items() if text}
    with Rails(nics, None) as rails, TemporaryDirectory(prefix="nixl-stripe-soak-") as folder:
        numbers = itertools.count(1)

        def new() -> Path:
            made = Path(folder) / str(next(numbers))
            made.mkdir()
            return made

        def run(
            programs: Mapping[Role, Sequence[str]], _: Nixl, limit_s: float
        ) -> Mapping[Role, Finished]:
            os.environ.update({**settings, **_QUIET})
            return rails.run_programs(programs, limit_s=limit_s)

        sides = ("stock", "ours", "ours, 64 rails")
        yield Ground("tcp", rails.devices, sides, 60, 3, 18, new, run)


@contextmanager
def rdma(nics: int) -> Iterator[Ground]:
    """Guests without a limit. UCX_TLS: agents of one process use verbs too, not their memory.

    On emulated processors an agent takes seconds to make, and a dead peer half a minute to notice:
    each moves more than over TCP.
    """
    environment = {**BASE_ENVIRONMENT, **_QUIET, "UCX_TLS": "rc"}
    with Guests(nics, rate_mbit=0, boot_limit_s=180) as guests:

        def run(
            programs: Mapping[Role, Sequence[str]], nixl: Nixl, limit_s: float
        ) -> Mapping[Role, Finished]:
            guests.use_system_verbs(nixl)
            both = dict.fromkeys(programs, environment)
            return guests.run(programs, environment=both, limit_s=limit_s)

        sides = ("stock", "ours", "ours, 64 rails")
        yield Ground("rdma", guests.devices, sides, 540, 6, 6, guests.new_folder, run)


BEDS = {"tcp": tcp, "rdma": rdma}
