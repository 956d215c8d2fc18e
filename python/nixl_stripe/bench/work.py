# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark's two processes have to do: plain data that crosses borders as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from nixl_stripe.lab.cost import Cpu
from nixl_stripe.lab.job import MEMORIES, OPS, Memory, Nixl, Op, Role
from nixl_stripe.lab.side import Ended

EngineName = Literal["nixl", "mooncake"]
Placement = Literal["separate", "arena"]

ENGINES: tuple[EngineName, ...] = ("nixl", "mooncake")
PLACEMENTS: tuple[Placement, ...] = ("separate", "arena")


@dataclass(frozen=True)
class Work:
    """One set of buffers: allocated, registered, moved again and again and checked each time.

    sizes: bytes of each buffer. warmup, repeats: transfers of all buffers, each with a payload of
    its own; those of the warm-up are checked but not measured. burst: times that a repetition posts
    the same transfer, each timed. placement: `separate` maps each buffer by itself, `arena` puts
    them side by side in one mapping, as an allocator does. coalesce: register through
    `nixl_stripe.registration` instead of buffer by buffer. overlap: the initiator registers within
    the first transfer, through `nixl_stripe.cold_move`. portion: bytes at the start of each
    buffer that are moved, where registration is what is measured; 0: all. drain: bytes that are
    moved before each repetition, neither timed nor counted: a NIC with a limit that has rested
    sends its token bucket without one.
    """

    name: str
    sizes: tuple[int, ...]
    op: Op
    warmup: int = 1
    repeats: int = 3
    burst: int = 1
    placement: Placement = "separate"
    coalesce: bool = False
    overlap: bool = False
    portion: int = 0
    drain: int = 0

    def __post_init__(self) -> None:
        if self.op not in OPS:
            raise ValueError(f"op={self.op!r}: accepted are {', '.join(OPS)}")
        if self.placement not in PLACEMENTS:
            raise ValueError(f"placement={self.placement!r}: accepted are {', '.join(PLACEMENTS)}")
        if not self.sizes or min(self.sizes) < 1:
            raise ValueError(f"{self.name}: needs at least one buffer of 1 byte or more")
        if self.overlap and self.portion:
            raise ValueError(f"{self.name}: overlap and portion: accepted is one of them")
        if self.drain < 0:
            raise ValueError(f"{self.name}: drain={self.drain}: accepted are 0 and more")
        if self.warmup < 0 or self.repeats < 1 or self.burst < 1:
            raise ValueError(
                f"{self.name}: accepted are warmup >= 0, repeats >= 1 and burst >= 1, not "
                f"{self.warmup}, {self.repeats} and {self.burst}"
            )

    @property
    def moved(self) -> tuple[int, ...]:
        """Bytes of each buffer that are moved."""
        return tuple(min(size, self.portion or size) for size in self.sizes)

    @property
    def payload_bytes(self) -> int:
        """Bytes of one transfer."""
        return sum(self.moved)

    @property
    def drains(self) -> int:
        """Transfers before each repetition that are neither timed nor counted."""
        return math.ceil(self.drain / self.payload_bytes)

    @property
    def repetition_bytes(self) -> int:
        """Bytes of one repetition, what drains the limits included."""
        return self.payload_bytes * (self.drains + self.burst)


@dataclass(frozen=True)
class BenchJob:
    """One side's part: an agent, and works one after the other.

    engine: what moves the bytes. nixl: where it is, Mooncake too. params: backend parameters, or
    those of `MooncakeEngine`. rivals: parameters of agents that take turns, repetition by
    repetition, each with the work of its place; () for one agent with `params`. counters: devices
    whose bytes are read around each repetition. corrupt: the sending side changes one byte, so that
    the check must fail. limit_s: seconds for each wait on the peer and for each transfer.
    """

    program: ClassVar[str] = "nixl_stripe.bench.worker"

    role: Role
    works: tuple[Work, ...]
    memory: Memory = "dram"
    engine: EngineName = "nixl"
    nixl: Nixl = field(default_factory=Nixl)
    params: Mapping[str, str] = field(default_factory=dict)
    rivals: tuple[Mapping[str, str], ...] = ()
    counters: tuple[str, ...] = ()
    corrupt: bool = False
    limit_s: float = 30.0

    def __post_init__(self) -> None:
        if self.memory not in MEMORIES:
            raise ValueError(f"memory={self.memory!r}: accepted are {', '.join(MEMORIES)}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine={self.engine!r}: accepted are {', '.join(ENGINES)}")
        if not self.works:
            raise ValueError("works=(): needs at least one")
        if self.rivals and len({(w.warmup, w.repeats) for w in self.works}) > 1:
            raise ValueError("rivals: accepted are works of one warmup and one repeats")
        if self.rivals and len(self.rivals) != len(self.works):
            raise ValueError(
                f"{len(self.rivals)} rivals, {len(self.works)} works: accepted are as many"
            )

    def for_role(self, role: Role) -> BenchJob:
        """Return the same job for the given side."""
        return dataclasses.replace(self, role=role)

    @property
    def needs_verbs(self) -> bool:
        """Whether NIXL with a libibverbs of its own does it."""
        return self.engine == "nixl"

    @property
    def total_limit_s(self) -> float:
        """Seconds after which the whole job is late."""
        transfers = sum(work.warmup + work.repeats for work in self.works)
        return self.limit_s * (3 + len(self.works)) + min(transfers, 20) * self.limit_s

    def to_json(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> BenchJob:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        nixl = data.pop("nixl")
        works = tuple(Work(**{**w, "sizes": tuple(w["sizes"])}) for w in data.pop("works"))
        data["counters"] = tuple(data["counters"])
        data["rivals"] = tuple(data.get("rivals", ()))
        return cls(works=works, nixl=Nixl(tuple(nixl["paths"]), nixl["package"]), **data)


class Took(NamedTuple):
    """Seconds of a transfer, and of the call that posted it; None where that waits for the end."""

    seconds: float
    post_s: float | None = None


@dataclass(frozen=True)
class Repetition:
    """One repetition at the initiator; times in seconds.

    prepare_s: making the request. seconds: from posting to done, for each of the burst.
    bytes: what each NIC counted in the payload's direction over the burst, headers included.
    post_s: the call that posts, for each of the burst; () where an engine only posts and waits.
    """

    prepare_s: float
    seconds: tuple[float, ...]
    bytes: Mapping[str, int]
    post_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class WorkReport:
    """One work at one side; times in seconds. Only the initiator has repetitions.

    cpu: of each measured repetition, with what drains the limits before it.
    """

    name: str
    alloc_s: float
    register_s: float
    deregister_s: float = 0.0
    regions: int = 0
    repetitions: tuple[Repetition, ...] = ()
    verified: int = 0
    cpu: tuple[Cpu, ...] = ()


@dataclass(frozen=True)
class BenchReport:
    """One side's account. error: one line, None where all went well. sources: who counted."""

    role: Role
    version: str | None = None
    create_s: float | None = None
    works: tuple[WorkReport, ...] = ()
    error: str | None = None
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, role: Role, ended: Ended) -> BenchReport:
        """Read a side's report; one that left none is an error with its log's last line."""
        if ended.failure is None:
            return cls.from_json(ended.result or "")
        return cls(role, error=f"{role}: {ended.failure[1]}")

    @classmethod
    def from_json(cls, text: str) -> BenchReport:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        works = []
        for work in data.pop("works"):
            rows = tuple(
                Repetition(r["prepare_s"], tuple(r["seconds"]), r["bytes"], tuple(r["post_s"]))
                for r in work.pop("repetitions")
            )
            cpu = tuple(Cpu(**each) for each in work.pop("cpu"))
            works.append(WorkReport(repetitions=rows, cpu=cpu, **work))
        return cls(works=tuple(works), **data)
