# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether this machine had more to run than cores, which is said beside what was measured on it."""

from __future__ import annotations

import os

_LOWER = "the rates and their ratios are lower than on an idle one, the rail counts are not"


def load_average() -> float:
    """Return how many processes ran or waited to run, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def busy_text(load: float, cores: int | None = None, so: str = _LOWER) -> str:
    """Return what is to be said beside figures of a busy machine; "" of an idle one.

    load: before the measurement, whose own work is no other's. cores: of this machine where None.
    so: what follows from it.
    """
    cores = cores or os.cpu_count() or 1
    if load <= cores:
        return ""
    return f"This machine was busy (load {load:.1f} on {cores} cores): {so}."
