# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What one side of a transfer has to do: plain data that crosses borders as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

Op = Literal["READ", "WRITE"]
Memory = Literal["dram", "vram"]
Allocator = Literal["driver", "torch"]
Role = Literal["initiator", "target"]
Direction = Literal["tx", "rx"]

OPS: tuple[Op, ...] = ("READ", "WRITE")
MEMORIES: tuple[Memory, ...] = ("dram", "vram")
ALLOCATORS: tuple[Allocator, ...] = ("driver", "torch")

#: For `Job.counters`: whatever NICs the side's machine has.
ALL_NICS = ("*",)


@dataclass(frozen=True)
class Nixl:
    """Which NIXL a side uses: folders that go first on `sys.path`, and the package in them."""

    paths: tuple[str, ...] = ()
    package: str | None = None

    @classmethod
    def find(cls, given: str | Path | Sequence[str | Path] | Nixl | None) -> Nixl:
        """Read what a caller names a NIXL by.

        Accepted: None (whichever is importable), a package name (`nixl_cu12`), a folder that holds
        an installed or unpacked wheel, or a sequence of these (folders in `sys.path` order).
        """
        if given is None or isinstance(given, Nixl):
            return given or cls()
        paths: list[str] = []
        package = None
        for item in [given] if isinstance(given, (str, Path)) else given:
            if isinstance(item, str) and item.isidentifier() and not Path(item).is_dir():
                package = item
            elif Path(item).is_dir():
                paths.append(str(Path(item).resolve()))
            else:
                raise ValueError(
                    f"nixl={str(item)!r}: neither a folder nor a package name "
                    "(a folder that holds nixl_cu12 or nixl_cu13, or such a name)"
                )
        return cls(tuple(paths), package)


@dataclass(frozen=True)
class Job:
    """One side's part of a case.

    sizes: bytes of each buffer, the same on both sides. repeats: transfers of all buffers, each
    with its own payload. limit_s: seconds for each wait on the peer or on a transfer. counters:
    devices (RDMA or network interfaces) whose bytes are read around each repetition; ALL_NICS for
    every one of the machine. account: put this machine's plan for `backend_params` in the report,
    and the variables that count.
    corrupt: the sending side changes one byte, so that verification must fail. shim: make the agent
    with nixl_stripe's classes, the parameters in their configuration. then: a second operation, as
    many times as the first, by the same agents. allocator: whose GPU memory it is,
    the CUDA driver's or torch's. beside: parameters of another agent with memory of its own, made
    first and kept. apart: each buffer in a request of its own, all of them in flight together.
    look_again_s: the payload is compared once more so many seconds later; 0: it is not.
    """

    program: ClassVar[str] = "nixl_stripe.lab.worker"
    needs_verbs: ClassVar[bool] = True

    role: Role
    op: Op
    sizes: tuple[int, ...]
    memory: Memory = "dram"
    allocator: Allocator = "driver"
    repeats: int = 1
    nixl: Nixl = field(default_factory=Nixl)
    backend: str = "UCX"
    backend_params: Mapping[str, str] = field(default_factory=dict)
    agent_config: Mapping[str, Any] = field(default_factory=dict)
    counters: tuple[str, ...] = ()
    corrupt: bool = False
    shim: bool = False
    account: bool = False
    limit_s: float = 30.0
    then: Op | None = None
    beside: Mapping[str, str] | None = None
    apart: bool = False
    look_again_s: float = 0.0

    def __post_init__(self) -> None:
        for op in (self.op, self.then or self.op):
            if op not in OPS:
                raise ValueError(f"op={op!r}: accepted are {', '.join(OPS)}")
        if self.memory not in MEMORIES:
            raise ValueError(f"memory={self.memory!r}: accepted are {', '.join(MEMORIES)}")
        if self.allocator not in ALLOCATORS:
            raise ValueError(f"allocator={self.allocator!r}: accepted are {', '.join(ALLOCATORS)}")
        if not self.sizes or min(self.sizes) < 1:
            raise ValueError(
                f"sizes={list(self.sizes)}: needs at least one buffer of 1 byte or more"
            )
        if self.repeats < 1:
            raise ValueError(f"repeats={self.repeats}: needs at least 1")

    @property
    def ops(self) -> tuple[Op, ...]:
        """The operation of each repetition."""
        second = () if self.then is None else (self.then,) * self.repeats
        return (self.op,) * self.repeats + second

    @property
    def total_limit_s(self) -> float:
        """Seconds after which a side that has not ended is killed."""
        return self.limit_s * (len(self.ops) + 3)

    def sends(self, op: Op) -> bool:
        """Whether the payload of an operation leaves this side."""
        return (self.role == "initiator") == (op == "WRITE")

    def direction(self, op: Op) -> Direction:
        """Which byte counter of this side sees the payload of an operation."""
        return "tx" if self.sends(op) else "rx"

    def to_json(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        nixl = data.pop("nixl")
        for name in ("sizes", "counters"):
            data[name] = tuple(data[name])
        return cls(nixl=Nixl(tuple(nixl["paths"]), nixl["package"]), **data)
