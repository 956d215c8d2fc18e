# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What is to be transferred, wherever that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nixl_stripe.lab.job import ALL_NICS, Memory, Nixl, Op
from nixl_stripe.lab.side import Environment
from nixl_stripe.lab.transfer import Transfer


@dataclass(frozen=True)
class Request:
    """A transfer to be verified.

    size: bytes of each buffer; buffers: how many of them. memory: of both ends. ops: None for those
    that the bed can stripe (READ over TCP cannot). params: backend parameters of both ends.
    repeats: transfers, each with a payload of its own that is compared byte by byte. stock: the
    same without our parameters, for comparison. nixl: which one both ends use. environment,
    peer_environment: variables on top of the bed's, None takes one away; the target has both.
    limit_s: seconds for each wait and each transfer. expected_nics: fewer in
    the plan are a failure.
    """

    size: int = 64 << 20
    buffers: int = 1
    memory: Memory = "dram"
    ops: tuple[Op, ...] | None = None
    params: Mapping[str, str] = field(default_factory=lambda: {"stripe": "all"})
    repeats: int = 3
    stock: bool = True
    nixl: Nixl = field(default_factory=Nixl)
    environment: Environment = field(default_factory=dict)
    peer_environment: Environment = field(default_factory=dict)
    limit_s: float = 60.0
    expected_nics: int | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or self.buffers < 1:
            raise ValueError(f"size={self.size}, buffers={self.buffers}: accepted are 1 and more")

    @property
    def payload_bytes(self) -> int:
        """Bytes of one transfer."""
        return self.size * self.buffers

    def transfer(self, op: Op, params: Mapping[str, str]) -> Transfer:
        """Return what is asked of the bed."""
        return Transfer(
            op=op,
            sizes=(self.size,) * self.buffers,
            memory=self.memory,
            repeats=self.repeats,
            nixl=self.nixl,
            backend_params=dict(params),
            environment=self.environment,
            peer_environment=self.peer_environment,
            counters=ALL_NICS,
            account=True,
            limit_s=self.limit_s,
        )
