# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a case showed: times, bytes per NIC, UCX's own lane report, errors as raised."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nixl_stripe.errors import StripeError
from nixl_stripe.lab.channel import PeerFailedError
from nixl_stripe.lab.cost import Cpu, by_side, total
from nixl_stripe.lab.job import ALL_NICS, Job, Memory, Op
from nixl_stripe.lab.proto_info import Lanes, payload_lanes
from nixl_stripe.lab.side import Ended

#: A NIC counts as used from this fraction of an even share on: wire-up stays far below.
USED_FRACTION = 0.05


class PayloadMismatchError(Exception):
    """Bytes arrived that were not sent."""


class TransferFailedError(StripeError):
    """A case did not end with a verified payload."""


@dataclass(frozen=True)
class SideError:
    """An exception on one side: its type's name, its text and where it was raised."""

    side: str
    type: str
    text: str
    traceback: str = ""

    def __str__(self) -> str:
        return f"{self.side}: {self.type}: {self.text}"


@dataclass(frozen=True)
class Repetition:
    """One transfer of all buffers as the initiator saw it.

    prepare_seconds: making the transfer request. seconds: posting it until NIXL said DONE.
    bytes: what each NIC of the initiator counted in the payload's direction, headers included.
    post_seconds: of `seconds`, the calls that posted.
    """

    prepare_seconds: float
    seconds: float
    bytes: Mapping[str, int]
    op: Op | None = None
    post_seconds: float = 0.0


@dataclass(frozen=True)
class SideReport:
    """One side's account. Times in seconds; None where the side did not get that far.

    exit_status: as from `subprocess` (negative: the signal that ended it; None: unknown).
    ucx_version: of the UCX that NIXL loaded. plugin_params: what the plugin advertises before a
    backend exists. plan, environment: with `Job.account`, what `StripePlan.to_dict` gives on that
    machine, and its UCX_* and NIXL_*.
    sources: of each NIC that was counted, name, kind, place and blindness of the source. uncounted:
    NICs whose bytes could not be counted, and why. cpu: of each repetition.
    """

    side: str
    nixl_file: str | None = None
    nixl_version: str | None = None
    ucx_version: str | None = None
    plugin_params: Mapping[str, str] = field(default_factory=dict)
    create_seconds: float | None = None
    register_seconds: float | None = None
    repetitions: tuple[Repetition, ...] = ()
    verified: int = 0
    plan: Mapping[str, Any] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    uncounted: Mapping[str, str] = field(default_factory=dict)
    cpu: tuple[Cpu, ...] = ()
    error: SideError | None = None
    exit_status: int | None = None
    log: str = ""

    def to_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> SideReport:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        error = data.pop("error")
        repetitions = tuple(Repetition(**row) for row in data.pop("repetitions"))
        cpu = tuple(Cpu(**each) for each in data.pop("cpu"))
        problem = SideError(**error) if error else None
        return cls(error=problem, repetitions=repetitions, cpu=cpu, **data)

    @classmethod
    def of(cls, role: str, ended: Ended) -> SideReport:
        """Read a side's report; one that left none is an error of type `SideDied`."""
        failure = ended.failure
        if failure is None:
            report = cls.from_json(ended.result or "")
        else:
            report = cls(role, error=SideError(role, *failure))
        return dataclasses.replace(report, log=ended.log, exit_status=ended.status)


@dataclass(frozen=True)
class Outcome:
    """A case: one job on two sides, in fresh processes."""

    op: Op
    memory: Memory
    sizes: tuple[int, ...]
    devices: tuple[str, ...]
    repeats: int
    initiator: SideReport
    target: SideReport
    wall_seconds: float = 0.0
    ops: tuple[Op, ...] = ()

    @classmethod
    def of(
        cls, job: Job, initiator: SideReport, target: SideReport, wall_seconds: float = 0.0
    ) -> Outcome:
        """Put the two sides' reports of `job` together."""
        devices = job.counters
        if devices == ALL_NICS:
            rows = initiator.repetitions
            devices = tuple(rows[0].bytes) if rows else ()
        return cls(
            job.op,
            job.memory,
            job.sizes,
            devices,
            len(job.ops),
            initiator,
            target,
            wall_seconds,
            job.ops,
        )

    def of_op(self, op: Op) -> Outcome:
        """Return the part of a case that did both operations which is about `op` alone."""
        rows = tuple(row for row in self.initiator.repetitions if row.op == op)
        verifies, other = ("initiator", "target") if op == "READ" else ("target", "initiator")
        sides = {
            verifies: getattr(self, verifies),
            other: dataclasses.replace(getattr(self, other), verified=0),
        }
        for role, report in sides.items():
            cpu = tuple(each for each, of in zip(report.cpu, self.ops, strict=False) if of == op)
            sides[role] = dataclasses.replace(report, cpu=cpu)
        sides["initiator"] = dataclasses.replace(sides["initiator"], repetitions=rows)
        return dataclasses.replace(self, op=op, repeats=self.ops.count(op), **sides)

    @property
    def error(self) -> SideError | None:
        """The error to go by: wrong bytes before all else, and what came first.

        A side that only heard of the other's failure, or hung after it, is not that.
        """
        errors = [e for e in (self.initiator.error, self.target.error) if e is not None]
        own = [e for e in errors if e.type != PeerFailedError.__name__]
        wrong = [e for e in own if e.type == PayloadMismatchError.__name__]
        return next(iter((*wrong, *own, *errors)), None)

    @property
    def ok(self) -> bool:
        """Whether every repetition's payload arrived and was compared byte by byte."""
        verified = self.initiator.verified + self.target.verified
        return self.error is None and verified == self.repeats

    def require(self) -> Outcome:
        """Return this outcome, or raise TransferFailedError with what went wrong on which side."""
        if self.error is not None:
            raise TransferFailedError(str(self.error))
        if not self.ok:
            raise TransferFailedError("the payload was not verified in every repetition")
        return self

    @property
    def payload_bytes(self) -> int:
        """Bytes of payload in one repetition."""
        return sum(self.sizes)

    @property
    def seconds(self) -> tuple[float, ...]:
        """Seconds of each repetition, from posting the transfer to DONE."""
        return tuple(row.seconds for row in self.initiator.repetitions)

    @property
    def gbps_each(self) -> tuple[float, ...]:
        """Payload in Gbit/s, per repetition."""
        return tuple(self.payload_bytes * 8e-9 / s for s in self.seconds)

    @property
    def gbps(self) -> float:
        """Median over the repetitions of the payload rate in Gbit/s; 0.0 without any."""
        return statistics.median(self.gbps_each) if self.seconds else 0.0

    @property
    def cpu_s_per_gib(self) -> dict[str, dict[str, float]]:
        """Processor time of both sides for a GiB of payload; see `lab.cost`."""
        return by_side(total(self.initiator.cpu), total(self.target.cpu))

    @property
    def post_us_per_descriptor(self) -> float | None:
        """Median over the repetitions of posting a buffer, microseconds; None without any."""
        each = [row.post_seconds * 1e6 / len(self.sizes) for row in self.initiator.repetitions]
        return round(statistics.median(each), 3) if each else None

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes per NIC of the initiator in the payload's direction, over all repetitions."""
        rows = self.initiator.repetitions
        return {name: sum(row.bytes.get(name, 0) for row in rows) for name in self.devices}

    @property
    def share(self) -> dict[str, float]:
        """Fraction of the counted bytes per NIC; all 0.0 where nothing was counted."""
        counted = self.bytes
        total = sum(counted.values())
        return {name: n / total if total else 0.0 for name, n in counted.items()}

    @property
    def used(self) -> tuple[str, ...]:
        """The NICs that carried data: at least `USED_FRACTION` of an even share."""
        floor = USED_FRACTION / max(1, len(self.devices))
        return tuple(name for name, part in self.share.items() if part > floor)

    @property
    def rails_used(self) -> int:
        """How many NICs carried data."""
        return len(self.used)

    @property
    def lanes(self) -> Lanes | None:
        """UCX's own report for a buffer of the largest size; None without `UCX_PROTO_INFO=y`."""
        return payload_lanes(self.initiator.log, self.op, max(self.sizes))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures (no logs) as plain data for JSON."""
        lanes = self.lanes
        return {
            "ok": self.ok,
            "op": self.op,
            "memory": self.memory,
            "payload_bytes": self.payload_bytes,
            "gbps": self.gbps,
            "gbps_each": list(self.gbps_each),
            "seconds": list(self.seconds),
            "bytes": self.bytes,
            "share": self.share,
            "rails_used": self.rails_used,
            "cpu_s_per_gib": self.cpu_s_per_gib,
            "post_us_per_descriptor": self.post_us_per_descriptor,
            "lanes": lanes.share if lanes else {},
            "protocol": lanes.text if lanes else None,
            "create_seconds": self.initiator.create_seconds,
            "register_seconds": self.initiator.register_seconds,
            "nixl_version": self.initiator.nixl_version,
            "error": str(self.error) if self.error else None,
        }
