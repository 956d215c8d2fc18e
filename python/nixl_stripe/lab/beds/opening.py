# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the bed that a command names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed

BedName = Literal["tcp", "rdma"]

#: The beds that a command can make, with the rate of each NIC in Mbit/s where none is given.
RATES: dict[BedName, float] = {"tcp": 800.0, "rdma": 20.0}


def open_bed(
    name: str,
    nics: int,
    mbit: float | None = None,
    *,
    gpus: str = "",
    cache: Path | None = None,
) -> Bed:
    """Make a bed for a `with` statement; UsageError for an unknown one or figures out of range.

    mbit: limit of each NIC, None for the bed's own, 0 for none. gpus: places of GPUs in guests.
    """
    rate = next((rate for bed, rate in RATES.items() if bed == name), None)
    if rate is None:
        raise UsageError(f"--bed {name}: accepted are {', '.join(RATES)}")
    rate = rate if mbit is None else mbit
    try:
        if name == "tcp":
            from nixl_stripe.lab.rails.rails import Rails

            return Rails(nics, rate or None)
        from nixl_stripe.lab.guests.bed import Guests

        nodes = max(1, min(2, nics))
        return Guests(
            nics, numa_nodes=nodes, rate_mbit=rate, gpus=gpus, cache=cache, boot_limit_s=180
        )
    except ValueError as error:
        raise UsageError(f"--nics {nics} --mbit {rate:g}: {error}") from error
