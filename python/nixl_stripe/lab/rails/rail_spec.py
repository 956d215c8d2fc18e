# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What rails to make: plain data that needs no netlink library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RailSpec:
    """count: rails. mbit: Mbit/s of each, on both ends; None: no limit. mtu: bytes."""

    count: int
    mbit: float | None
    mtu: int

    @property
    def names(self) -> tuple[str, ...]:
        """Interface names, the same on both ends: one subnet 10.77.<rail>.0/24 each."""
        return tuple(f"rail{i}" for i in range(self.count))
