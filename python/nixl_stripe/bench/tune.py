# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Measures sets of NICs by real transfers, for a calibration: what `nixl-stripe tune` does."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from nixl_stripe import _core
from nixl_stripe.bench import runner
from nixl_stripe.bench.work import Work
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.job import Op
from nixl_stripe.planning.calibrate import BUDGET, Rates, calibrate
from nixl_stripe.planning.parts import gbps_text

_MIB = 1 << 20
#: Of the first transfer, and of any, bytes.
_FIRST, _LEAST, _MOST = 16 * _MIB, 4 * _MIB, 4 << 30
#: Transfers of a measurement: each takes about this long, s.
_TRANSFERS, _SECONDS = 3, 0.3


class Meter:
    """Measures from this host's memory to a peer's, which has devices of the same names.

    say: is told each measurement. budget: how many there may be, for that.
    """

    def __init__(
        self, bed: Bed, ops: Sequence[Op], say: Callable[[str], None], budget: int = BUDGET
    ) -> None:
        self._bed, self._ops, self._say, self._budget = bed, tuple(ops), say, budget
        self._alone: dict[str, float] = {}
        self.count = 0

    def __call__(self, gpu: str | None, devices: Sequence[str]) -> Rates:
        """Return what the devices carry; BenchFailedError where a transfer fails."""
        if gpu is not None:
            raise ValueError(f"gpu={gpu}: accepted is None, host memory")
        self.count += 1
        works = tuple(
            Work(op, (self._bytes(devices),), op, warmup=1, repeats=_TRANSFERS) for op in self._ops
        )
        params = {"stripe": "all", "device_list": ",".join(devices)}
        case = runner.Case({"NICs": ", ".join(devices)}, works, params=params)
        (result,) = runner.run(self._bed, [case], 1, _silent)
        found = {
            work.op: statistics.median(runner.rates(work, result.repetitions(work)))
            for work in works
        }
        rates = Rates(found["WRITE"], found.get("READ", 0.0))
        if len(devices) == 1:
            self._alone[devices[0]] = rates.least
        names = ", ".join(devices)
        count = f"{self.count} of at most {self._budget}"
        self._say(f"{count}: {names}: {gbps_text(rates.least)}")
        return rates

    def _bytes(self, devices: Sequence[str]) -> int:
        """Return the size of a transfer that takes long enough for its start not to count."""
        known = [self._alone[device] for device in devices if device in self._alone]
        if len(known) < len(devices):
            return _FIRST
        wanted = min(known) * len(devices) * 1e9 / 8 * _SECONDS
        return round(min(max(wanted, _LEAST), _MOST) / _MIB) * _MIB


def ops_of(devices: Sequence[str]) -> tuple[Op, ...]:
    """Return what is measured: over TCP no READ, which never stripes there."""
    return ("WRITE", "READ") if all(":" in device for device in devices) else ("WRITE",)


def measure(
    bed: Bed, machine: _core.Machine, say: Callable[[str], None], budget: int = BUDGET
) -> tuple[_core.Calibration, int]:
    """Measure host memory over the NICs of `machine`; return what was found, and how often.

    ValueError for a budget that is too small; BenchFailedError where a transfer fails.
    """
    devices = _core.select_nics(machine, "all").devices
    meter = Meter(bed, ops_of(devices), say, budget)
    return calibrate(machine, meter, [None], budget), meter.count


def document(machine: _core.Machine, made: _core.Calibration) -> dict[str, Any]:
    """Return a calibration as JSON data: what was measured, and the set that `best` takes."""
    measured = [
        {"gpu": gpu, "devices": devices, "write_gbps": write, "read_gbps": read or None}
        for gpu, devices, write, read in made.sets
    ]
    sets = {}
    for gpu in dict.fromkeys(gpu for gpu, *_ in made.sets):
        devices = list(_core.select_nics(machine, "best", gpu, None, made).devices)
        gbps = _core.even_gbps(machine, devices, gpu, made)
        sets[gpu or "host"] = {"devices": devices, "gbps": gbps}
    return {"machine_id": machine_id(made), "measured": measured, "sets": sets}


def machine_id(made: _core.Calibration) -> str:
    """Return what a machine is known by: the lines of its CPUs, NICs and GPUs, as a digest."""
    lines = [line for line in made.text().splitlines() if line.startswith(("cpu", "nic", "gpu"))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _silent(_: str) -> None:
    """Say nothing: the meter says what matters."""
