# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where a verification takes place: the lab's beds, or two processes of this host."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from nixl_stripe.lab.job import OPS, Job, Op, Role
from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.lab.rails.rails import Rails, rail_environment
from nixl_stripe.verify.request import Environment
from nixl_stripe.verify.sides import Side, time_limit, user_environment

if TYPE_CHECKING:
    from nixl_stripe.lab.guests import GpuPlace, Guests

GroundT = TypeVar("GroundT", bound="Ground")

WRITE_ONLY: tuple[Op, ...] = ("WRITE",)


class Ground(ABC):
    """A place to transfer at; a context manager.

    where: in words. ceiling_gbps: what its NICs carry together, Gbit/s, where that is not their
    nominal rate. notes: what a reader must know to judge figures from here.
    """

    where: str
    ceiling_gbps: float | None = None
    notes: tuple[str, ...] = ()

    def __enter__(self: GroundT) -> GroundT:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Take everything away; harmless when done twice."""

    @abstractmethod
    def ops(self) -> tuple[Op, ...]:
        """Return the operations that can stripe here."""

    @abstractmethod
    def transfer(
        self, mine: Job, theirs: Job, environment: Environment, peer_environment: Environment
    ) -> Outcome:
        """Run both jobs against each other."""


class TcpBed(Ground):
    """Rate limited rails between two network namespaces; LabUnavailableError where impossible."""

    notes = (
        "a bed of veth rails proves mechanism and ratios; its rates say nothing of real NICs",
        "UCX stripes only WRITE over TCP: READ is emulated, on one rail",
    )

    def __init__(self, rails: int = 4, mbit: float = 800) -> None:
        self.bed = Rails(rails, mbit)
        self.where = f"over {rails} TCP rails of {mbit:g} Mbit/s between two namespaces"
        self.ceiling_gbps = rails * mbit * 1e-3

    def close(self) -> None:
        """Take the rails away."""
        self.bed.close()

    def ops(self) -> tuple[Op, ...]:
        """Return WRITE: READ over TCP never stripes."""
        return WRITE_ONLY

    def transfer(
        self, mine: Job, theirs: Job, environment: Environment, peer_environment: Environment
    ) -> Outcome:
        """Run both jobs at the two ends of the rails."""
        base = rail_environment(mine.memory, theirs.memory)
        return self.bed.run(
            mine, theirs, {**base, **environment}, {**base, **environment, **peer_environment}
        )


class RdmaBed(Ground):
    """Two QEMU guests with Soft-RoCE NICs and stand-ins for GPUs; StripeError where impossible.

    gpu: place of both ends' GPU for memory `vram` (see `lab.guests.GpuPlace`).
    """

    notes = (
        "Soft-RoCE in emulated guests proves mechanism and ratios; its rates say nothing of real "
        "NICs",
    )

    def __init__(
        self,
        nics: int = 4,
        mbit: float = 20,
        gpu: GpuPlace = "N",
        cache: Path | None = None,
        boot_limit_s: float = 180,
    ) -> None:
        from nixl_stripe.lab.guests import Guests

        self.gpu = gpu
        self.bed: Guests = Guests(
            nics, rate_mbit=mbit, gpus=gpu, cache=cache, boot_limit_s=boot_limit_s
        )
        self.where = f"over {nics} Soft-RoCE NICs of {mbit:g} Mbit/s between two guests"
        self.ceiling_gbps = nics * mbit * 1e-3 or None

    def close(self) -> None:
        """Stop the guests."""
        self.bed.close()

    def ops(self) -> tuple[Op, ...]:
        """Return READ and WRITE."""
        return OPS

    def transfer(
        self, mine: Job, theirs: Job, environment: Environment, peer_environment: Environment
    ) -> Outcome:
        """Run both jobs in the guests."""
        from nixl_stripe.lab.guests import cases

        changes: dict[Role, Environment] = {
            "initiator": environment,
            "target": {**environment, **peer_environment},
        }
        full: dict[Role, dict[str, str]] = {}
        for job in (mine, theirs):
            self.bed.use_system_verbs(job.nixl)
            place = self.gpu if job.memory == "vram" else None
            full[job.role] = _set_only(
                {
                    **cases.BASE_ENVIRONMENT,
                    **self.bed.cuda_environment(job.role, place),
                    **changes[job.role],
                }
            )
        return cases.run_pair(self.bed, {"initiator": mine, "target": theirs}, full)


class TwoProcesses(Ground):
    """Two processes of this host, in the caller's environment, shared memory ruled out."""

    where = "between two processes of this host"
    notes = (
        "on one host UCX would use shared memory: it was ruled out (UCX_TLS=^sm,cuda_ipc) unless "
        "UCX_TLS was set",
    )

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="nixl-stripe-verify-"))

    def close(self) -> None:
        """Remove its files."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def ops(self) -> tuple[Op, ...]:
        """Return what this machine's NICs can stripe."""
        return stripable_ops()

    def transfer(
        self, mine: Job, theirs: Job, environment: Environment, peer_environment: Environment
    ) -> Outcome:
        """Run both jobs here."""
        start = time.monotonic()
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        env = user_environment(environment, one_host=True)
        peer_env = user_environment({**environment, **peer_environment}, one_host=True)
        left, right = socket.socketpair()
        with left, right:
            one, two = Side(mine, folder, left, env), Side(theirs, folder, right, peer_env)
        with one, two:
            late = _wait((one, two), start + time_limit(mine))
        reports = one.report(one in late), two.report(two in late)
        return Outcome.of(mine, reports[0], reports[1], time.monotonic() - start)


def stripable_ops() -> tuple[Op, ...]:
    """Return READ and WRITE where this machine has RDMA NICs, else WRITE."""
    return OPS if Path("/sys/class/infiniband").is_dir() else WRITE_ONLY


def _wait(sides: Iterable[Side], deadline: float) -> list[Side]:
    """Wait until all have ended, or the deadline; end and return those that have not."""
    late = []
    for side in sides:
        try:
            side.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:  # noqa: PERF203 - each may be late by itself
            side.kill()
            late.append(side)
    return late


def _set_only(environment: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if value is not None}
