# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the `*_side` programs of this folder share: their job, their `main`, the rails' counters."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixl_stripe.lab import side
from nixl_stripe.lab.channel import Channel, PeerFailedError
from nixl_stripe.lab.job import Direction, Memory, Nixl, Role

Given = dict[str, Any]


@dataclass(frozen=True)
class ClientJob:
    """What a program of this folder is to do; `given` is for it alone.

    Memory and NIXL are the program's own affair.
    """

    role: Role
    program: str
    given: Given
    memory: Memory = "dram"
    nixl: Nixl = field(default_factory=Nixl)
    needs_verbs: bool = False
    total_limit_s: float = 120.0

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps({"role": self.role, "program": self.program, "given": self.given})

    @classmethod
    def from_json(cls, text: str) -> ClientJob:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


class Said(dict[str, Any]):
    """What a program found out, or `error`: the type and the text of what went wrong."""

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(self)


Run = Callable[[Role, Given, Channel], Given]


def main(about: str, run: Run) -> int:
    """Do the job of a file; an exception becomes the result's error and is told to the peer."""

    def told(job: ClientJob, channel: Channel) -> Said:
        try:
            return Said(run(job.role, job.given, channel))
        except Exception as error:
            traceback.print_exc()
            with contextlib.suppress(PeerFailedError, OSError):
                channel.send({"kind": "failed", "text": str(error)})
            return Said(error=[type(error).__name__, str(error)])

    return side.main(about, ClientJob.from_json, told)


def counted(names: Iterable[str], direction: Direction) -> dict[str, int]:
    """Return the bytes that each interface has sent (tx) or received (rx)."""
    return {
        name: int(Path(f"/sys/class/net/{name}/statistics/{direction}_bytes").read_text())
        for name in names
    }


def since(before: dict[str, int], direction: Direction) -> dict[str, int]:
    """Return the bytes of each interface since `before`."""
    return {name: n - before[name] for name, n in counted(before, direction).items()}
