# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What rails to make: plain data that needs no netlink library."""

from __future__ import annotations

from dataclasses import dataclass

#: tbf works on whole GSO packets (up to 64 KiB); a smaller bucket would make it cut them up.
_BUCKET_FLOOR = 128 << 10
#: Time that a bucket covers at the nominal rate: a late wake-up must not cost throughput.
_BUCKET_SECONDS = 1e-3


def bucket_bytes(mbit: float) -> int:
    """Return the token bucket of a limit of `mbit` Mbit/s, in bytes."""
    return max(_BUCKET_FLOOR, round(mbit * 1e6 / 8 * _BUCKET_SECONDS))


@dataclass(frozen=True)
class RailSpec:
    """count: rails. mbit: Mbit/s of each, on both ends; None: no limit. mtu: bytes."""

    count: int
    mbit: float | None
    mtu: int

    @property
    def bucket_bytes(self) -> int:
        """Bytes that a rested rail sends at once before its limit holds; 0 without a limit."""
        return 0 if self.mbit is None else bucket_bytes(self.mbit)

    @property
    def names(self) -> tuple[str, ...]:
        """Interface names, the same on both ends: one subnet 10.77.<rail>.0/24 each."""
        return tuple(f"rail{i}" for i in range(self.count))
