# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of a bed: one transfer, and all that may differ between its two sides."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixl_stripe.lab.job import Allocator, Job, Memory, Nixl, Op, Role
from nixl_stripe.lab.side import Environment

NixlName = str | Path | Sequence[str | Path] | Nixl | None


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A transfer in two fresh processes, every payload compared byte by byte.

    sizes: bytes of each buffer. memory, peer_memory: of the initiator and of the target, which has
    the same for None. allocator: whose GPU memory, the CUDA driver's ("driver") or torch's
    ("torch", tensors on the current device, compared there). repeats: transfers, each with its own
    payload. then: a second operation by the same agents; `Outcome.of_op` takes the two apart.

    nixl: a folder that holds an installed or unpacked NIXL, a package name, both in a sequence, or
    None for whichever is importable. backend_params, environment: of the initiator; the target has
    the same unless peer_params, peer_environment say otherwise (None as a value takes a variable
    away). agent_config: for NIXL's nixl_agent_config. shim: agents of nixl_stripe's classes.
    beside: parameters of another agent, with memory, that both processes make first and keep.
    apart: each buffer in a request of its own, all of them in flight together.

    gpu, peer_gpu: places of GPUs that stand in (see `lab.guests.GpuPlace`), in guests alone; the
    memory is then `vram` unless it is given. context_current: every thread there starts with a
    current CUDA context. counters: devices whose bytes are read; None for the bed's own. account,
    look_again_s: see `Job`. corrupt: one byte is changed before it is sent, so that the
    verification must fail. interpreter: the command of another Python for both sides, such as an
    emulated one; it must find nixl_stripe. limit_s: seconds for each wait and each transfer, None
    for the bed's own; the whole ends after `Job.total_limit_s`.
    """

    sizes: Sequence[int]
    op: Op = "WRITE"
    then: Op | None = None
    repeats: int = 1
    memory: Memory | None = None
    peer_memory: Memory | None = None
    allocator: Allocator = "driver"
    nixl: NixlName = None
    peer_nixl: NixlName = None
    backend_params: Mapping[str, str] | None = None
    peer_params: Mapping[str, str] | None = None
    environment: Environment | None = None
    peer_environment: Environment | None = None
    agent_config: Mapping[str, Any] = field(default_factory=dict)
    shim: bool = False
    beside: Mapping[str, str] | None = None
    apart: bool = False
    gpu: str | None = None
    peer_gpu: str | None = None
    context_current: bool = False
    counters: tuple[str, ...] | None = None
    account: bool = False
    corrupt: bool = False
    look_again_s: float = 0.0
    interpreter: Sequence[str | Path] = ()
    limit_s: float | None = None

    def jobs(self, counters: tuple[str, ...], limit_s: float) -> dict[Role, Job]:
        """Return both sides' parts; counters, limit_s: of the bed."""
        memory = self.memory or "dram"
        mine = Job(
            role="initiator",
            op=self.op,
            sizes=tuple(self.sizes),
            memory=memory,
            allocator=self.allocator,
            repeats=self.repeats,
            nixl=Nixl.find(self.nixl),
            backend_params=dict(self.backend_params or {}),
            agent_config=dict(self.agent_config),
            counters=counters if self.counters is None else self.counters,
            corrupt=self.corrupt,
            shim=self.shim,
            account=self.account,
            limit_s=limit_s if self.limit_s is None else self.limit_s,
            then=self.then,
            beside=self.beside,
            apart=self.apart,
            look_again_s=self.look_again_s,
        )
        theirs = dataclasses.replace(
            mine,
            role="target",
            memory=self.peer_memory or memory,
            nixl=mine.nixl if self.peer_nixl is None else Nixl.find(self.peer_nixl),
            backend_params=dict(
                mine.backend_params if self.peer_params is None else self.peer_params
            ),
        )
        return {"initiator": mine, "target": theirs}

    def environments(self) -> dict[Role, Environment]:
        """Return what each side's variables are changed by."""
        mine = self.environment or {}
        return {"initiator": mine, "target": {**mine, **(self.peer_environment or {})}}
