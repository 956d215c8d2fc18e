# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where a benchmark runs: rails of veth pairs, RDMA guests, or two hosts (see `hosts`)."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from nixl_stripe.bench.work import BenchJob, BenchReport, WorkReport
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.rails.rails import Rails, clean_environment, rail_environment

if TYPE_CHECKING:
    from nixl_stripe.lab.guests import Guests

BedName = Literal["tcp", "rdma"]
BEDS: tuple[BedName, ...] = ("tcp", "rdma")

WORKER = "nixl_stripe.bench.worker"
_ROLES: tuple[Role, Role] = ("initiator", "target")
#: What `limit_rate` of the guests' agent gives tbf.
_GUEST_BUCKET = 32 << 10


class BenchFailedError(StripeError):
    """A transfer of the benchmark failed or brought wrong bytes: there is no figure to give."""


@dataclass(frozen=True)
class Pair:
    """What both sides of a job reported."""

    initiator: BenchReport
    target: BenchReport

    def works(self) -> Iterator[tuple[WorkReport, WorkReport]]:
        """Yield each work as initiator and target saw it."""
        return zip(self.initiator.works, self.target.works, strict=True)


class BenchBed(Protocol):
    """A place that runs a job on two sides."""

    name: str
    counters: tuple[str, ...]
    limit_mbit: float | None
    bucket_bytes: int  # what a rested NIC sends at once before its limit holds

    def run(self, job: BenchJob, environment: Mapping[str, str]) -> Pair:
        """Run `job` in two fresh processes; BenchFailedError unless every payload was right."""

    def describe(self) -> dict[str, object]:
        """Return what the bed is made of, for the result file."""


class TcpBed:
    """Rate limited veth pairs between two namespaces."""

    name = "tcp"

    def __init__(self, rails: Rails) -> None:
        self._rails = rails
        self.counters = rails.devices
        self.limit_mbit = rails.spec.mbit
        self.bucket_bytes = rails.spec.bucket_bytes

    def run(self, job: BenchJob, environment: Mapping[str, str]) -> Pair:
        """Run both sides in their namespaces."""
        full = {**rail_environment(job.memory), "UCX_PROTO_INFO": None, **environment}
        clean = [f"{key}={value}" for key, value in clean_environment(full).items()]
        with tempfile.TemporaryDirectory(prefix="nixl-stripe-bench-") as made:
            folder = Path(made)
            commands = {
                role: ["env", "-i", *clean, *command]
                for role, command in _commands(job, folder).items()
            }
            ended = self._rails.run_programs(commands, limit_s=job.limit_total_s)
            logs = {role: ended[role].output for role in _ROLES}
            late = {role: job.limit_total_s for role in _ROLES if ended[role].timed_out}
            return _pair(job, folder, logs, late)

    def describe(self) -> dict[str, object]:
        """Return rails, limit and MTU."""
        spec = self._rails.spec
        return {"bed": self.name, "nics": spec.count, "mbit": spec.mbit, "mtu": spec.mtu}


class RdmaBed:
    """Two QEMU guests with Soft-RoCE NICs."""

    name = "rdma"

    def __init__(self, guests: Guests, mbit: float) -> None:
        self._guests = guests
        self.counters = guests.devices
        self.limit_mbit = mbit or None
        self.bucket_bytes = _GUEST_BUCKET if mbit else 0

    @property
    def verbs(self) -> tuple[str, ...]:
        """The RDMA devices, in the order of `counters`."""
        from nixl_stripe.lab.guests.layout import verbs_device

        return tuple(verbs_device(name) for name in self.counters)

    def run(self, job: BenchJob, environment: Mapping[str, str]) -> Pair:
        """Run both sides in their guests."""
        from nixl_stripe.lab.guests.cases import BASE_ENVIRONMENT

        guests = self._guests
        if job.engine == "nixl":
            guests.use_system_verbs(job.nixl)
        folder = guests.new_folder()
        commands = _commands(job, folder)
        base = {k: v for k, v in BASE_ENVIRONMENT.items() if k != "UCX_PROTO_INFO"}
        environments = {role: {**base, **environment} for role in _ROLES}
        ended = guests.run(commands, environment=environments, limit_s=job.limit_total_s)
        logs = {role: ended[role].output for role in _ROLES}
        late = {role: job.limit_total_s for role in _ROLES if ended[role].timed_out}
        return _pair(job, folder, logs, late)

    def describe(self) -> dict[str, object]:
        """Return NICs, limit and how the guests are executed."""
        return {
            "bed": self.name,
            "nics": len(self.counters),
            "mbit": self.limit_mbit,
            "accelerator": self._guests.accelerator,
        }


@contextlib.contextmanager
def open_bed(name: str, nics: int, mbit: float | None) -> Iterator[BenchBed]:
    """Make a bed for a `with` statement; mbit: limit of each NIC, None: the bed's own."""
    if name == "tcp":
        with Rails(nics, 800 if mbit is None else mbit or None) as rails:
            yield TcpBed(rails)
    elif name == "rdma":
        from nixl_stripe.lab.guests import Guests

        rate = 20 if mbit is None else mbit
        with Guests(nics=nics, numa_nodes=min(2, nics), rate_mbit=rate) as guests:
            yield RdmaBed(guests, rate)
    else:
        raise UsageError(f"--bed {name}: accepted are {', '.join(BEDS)}")


def _commands(job: BenchJob, folder: Path) -> dict[Role, list[str]]:
    """Write both sides' jobs to `folder` and return the programs that do them."""
    commands: dict[Role, list[str]] = {}
    for role in _ROLES:
        file = folder / f"{role}.job"
        file.write_text(job.for_role(role).to_json())
        commands[role] = [
            *(sys.executable, "-m", WORKER, "--job", str(file)),
            *("--channel", f"dir:{folder}", "--result", str(folder / f"{role}.result")),
        ]
    return commands


def _pair(
    job: BenchJob, folder: Path, logs: Mapping[Role, str], late: Mapping[Role, float]
) -> Pair:
    reports = {role: collect(role, folder, logs[role], late.get(role)) for role in _ROLES}
    pair = Pair(reports["initiator"], reports["target"])
    require(job, pair)
    return pair


def collect(role: Role, folder: Path, log: str, late_s: float | None) -> BenchReport:
    """Read a side's report from `folder`; one that left none is an error with its log's last line.

    late_s: the limit in seconds that it ran into; None: it ended by itself.
    """
    result = folder / f"{role}.result"
    if result.exists():
        return BenchReport.from_json(result.read_text())
    if late_s is not None:
        return BenchReport(role, error=f"{role}: killed, it did not end within {late_s:g} s")
    last = next((line for line in reversed(log.splitlines()) if line.strip()), "nothing")
    return BenchReport(role, error=f"{role}: left no result; last of its log: {last}")


def require(job: BenchJob, pair: Pair) -> None:
    """Raise BenchFailedError unless every repetition of every work was checked and right."""
    errors = [e for e in (pair.initiator.error, pair.target.error) if e]
    own = [e for e in errors if "PeerFailedError" not in e]
    if errors:
        raise BenchFailedError((own or errors)[0])
    for work, (mine, theirs) in zip(job.works, pair.works(), strict=True):
        if mine.verified + theirs.verified != work.warmup + work.repeats:
            raise BenchFailedError(f"{work.name}: not every payload was checked")
