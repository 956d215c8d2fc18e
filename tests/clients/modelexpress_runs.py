# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of `modelexpress_side`: one model's weights over the rails."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.sides import Sides, start
from nixl_stripe.lab import Rails

#: A rail counts as used from this share of the bytes on.
_USED = 0.02


@dataclass(frozen=True)
class Run:
    """What both sides said; see `modelexpress_side`."""

    sides: Sides

    @property
    def receiver(self) -> dict[str, Any]:
        return self.sides.initiator

    @property
    def source(self) -> dict[str, Any]:
        return self.sides.target

    @property
    def error(self) -> tuple[str, str] | None:
        return self.sides.error

    @property
    def log(self) -> str:
        return self.sides.log

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert "rows" in self.receiver, f"{self.error}\n{self.log}"
        rows: list[dict[str, Any]] = self.receiver["rows"]
        return rows

    @property
    def wrong(self) -> list[str]:
        """Tensors that did not arrive as they were sent, over all repetitions."""
        return [name for row in self.rows for name in row["wrong"]]

    @property
    def gbps(self) -> float:
        rates: list[float] = [row["bytes"] * 8e-9 / row["seconds"] for row in self.rows]
        return statistics.median(rates)

    @property
    def busiest(self) -> float:
        """Fraction of the bytes on the busiest rail; where rails are the limit it is the time."""
        return max(self.share.values())

    @property
    def share(self) -> dict[str, float]:
        """Fraction of the received bytes per rail."""
        names = self.rows[0]["rails"]
        counted = {name: sum(row["rails"][name] for row in self.rows) for name in names}
        total = sum(counted.values())
        return {name: n / total for name, n in counted.items()}

    @property
    def used(self) -> list[str]:
        return [name for name, part in self.share.items() if part > _USED]


def run(
    rails: Rails,
    nixl: Path,
    gpu: Mapping[str, str],
    *,
    variables: Mapping[str, str] | None = None,
    enable: bool = False,
    disable: bool = False,
    corrupt: bool = False,
    repeats: int = 3,
) -> Run:
    """Move the weights `repeats` times; `variables` are those of both processes."""
    job = {"seed": 7, "repeats": repeats, "enable": enable, "disable": disable, "corrupt": corrupt}
    environment = {**gpu, "UCX_TLS": "tcp,cuda_copy", **(variables or {})}
    return Run(start(rails, "modelexpress_side", job, [nixl], environment))
