# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark is asked to do, and the configurations that benchmarks compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixl_stripe.agents.nixl_api import PACKAGES
from nixl_stripe.bench.runner import Case
from nixl_stripe.bench.work import Work
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.beds.opening import BedName
from nixl_stripe.lab.job import Memory, Nixl, Op


@dataclass(frozen=True)
class Options:
    """What the command line says, the same for every benchmark.

    rounds: fresh process pairs of each case. warmup, iterations: transfers in each. mbit: limit of
    each NIC of a bed, Mbit/s, 0 for none, None for the bed's own.
    """

    bed: BedName = "tcp"
    nics: int = 4
    mbit: float | None = None
    ops: tuple[Op, ...] = ()
    memory: Memory = "dram"
    rounds: int = 3
    warmup: int = 1
    iterations: int = 5
    corrupt: bool = False

    def __post_init__(self) -> None:
        for name, value, least in (
            ("nics", self.nics, 1),
            ("rounds", self.rounds, 1),
            ("warmup", self.warmup, 0),
            ("repeats", self.iterations, 1),
        ):
            if value < least:
                raise UsageError(f"--{name} {value}: accepted are {least} and more")
        if self.mbit is not None and self.mbit < 0:
            raise UsageError(f"--mbit {self.mbit:g}: accepted are 0 (no limit) and more")

    def directions(self) -> tuple[Op, ...]:
        """Return the operations to measure; over TCP no READ, which never stripes there."""
        if self.ops:
            return self.ops
        return ("WRITE",) if self.bed == "tcp" else ("READ", "WRITE")

    def to_dict(self) -> dict[str, Any]:
        """Return them for the result file."""
        return {
            "bed": self.bed,
            "nics": self.nics,
            "mbit": self.mbit,
            "ops": list(self.directions()),
            "memory": self.memory,
            "rounds": self.rounds,
            "warmup": self.warmup,
            "iterations": self.iterations,
        }


@dataclass(frozen=True)
class Sides:
    """The NIXL that is compared and the patched one; the same folder between two hosts."""

    stock: Nixl = field(default_factory=Nixl)
    patched: Nixl = field(default_factory=Nixl)

    @classmethod
    def at(cls, stock: Path, patched: Path) -> Sides:
        """Take two folders that hold an installed or unpacked NIXL; StripeError where one has none.

        Else the NIXL that happens to be installed would be measured in its place.
        """
        for folder in (stock, patched):
            if not any((folder / name).is_dir() for name in PACKAGES):
                raise StripeError(f"{folder}: no NIXL in it ({', '.join(PACKAGES)})")
        return cls(Nixl.find(stock), Nixl.find(patched))

    def case(
        self, mode: str, params: Mapping[str, str], works: tuple[Work, ...], **labels: Any
    ) -> Case:
        """Return a case; mode `stock` runs on the stock NIXL, all others on the patched one."""
        nixl = self.stock if mode.startswith("stock") else self.patched
        return Case({"mode": mode, **labels}, works, nixl, params)


#: One NIC, one of all that are open, and all of them.
ONE = {"stripe": "1"}
ONE_RAIL = {"max_rma_rails": "1"}
ALL = {"stripe": "all"}
