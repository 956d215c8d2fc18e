# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a registration's parts cost, fitted to measured times."""

from __future__ import annotations

from typing import Any

import pytest
from nixl_stripe.bench.register import cost

SHAPES = [(1, 64), (29, 64), (290, 64), (1, 16), (1, 4)]


def rows(**us: float) -> list[dict[str, Any]]:
    made = []
    for nics in (1, 2, 3, 4):
        for regions, mib in SHAPES:
            time = (
                us.get("call", 0)
                + us.get("region", 0) * regions
                + us.get("region_nic", 0) * regions * nics
                + us.get("mib", 0) * mib
                + us.get("mib_nic", 0) * mib * nics
            )
            made.append(
                {
                    "nics": nics,
                    "regions": regions,
                    "bytes": mib << 20,
                    "register_ms": {"median": time / 1e3},
                }
            )
    return made


def test_parts_are_found_again() -> None:
    found = cost(rows(call=5, region=3, region_nic=7, mib=11, mib_nic=2))
    assert found == pytest.approx(
        {
            "the call": 5,
            "each region": 3,
            "each region on each NIC": 7,
            "each MiB": 11,
            "each MiB on each NIC": 2,
        },
        rel=1e-3,
    )


def test_no_part_costs_less_than_nothing() -> None:
    found = cost(rows(call=500, region=-1, region_nic=7))
    assert min(found.values()) == 0
    assert found["each region on each NIC"] == pytest.approx(7, rel=0.2)
