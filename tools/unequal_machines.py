# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`stripe=best` on simulated machines of unequal NICs, beside the best of all sets.

    python tools/unequal_machines.py --seed 5000 --machines 100 --json FILE

Each machine is drawn (tests/support/simulated_hosts.py) and measured as `nixl-stripe tune` does,
200 measurements at most with 2 % of noise; then `best` chooses from its sysfs and the calibration.
Sets are those of the NICs that `all` takes, which leaves storage and management ones out.
Exit 1 where a choice carries less than 97 % of the best set, or 99 % of the best NIC.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from nixl_stripe import _core  # noqa: E402
from nixl_stripe.bench.provenance import Origin  # noqa: E402
from nixl_stripe.planning.calibrate import Rates, calibrate  # noqa: E402
from simulated_hosts import NOISE, Truth, drawn  # noqa: E402
from sysfs_trees import write  # noqa: E402

#: What must hold of every machine: of the best set, and of the best NIC alone.
OF_BEST, OF_ALONE = 0.97, 0.99


@dataclass(frozen=True)
class Row:
    """One memory of one machine; each policy's rate as a part of the best set's.

    nics: usable ones. gpu: PCI address, None for host memory. alone: of the best NIC alone.
    measured: how often.
    """

    seed: int
    nics: int
    gpus: int
    gpu: str | None
    measured: int
    best: float
    all: float
    model: float
    alone: float

    @property
    def holds(self) -> bool:
        """Whether the choice is as good as it has to be."""
        return self.best >= OF_BEST and self.best >= OF_ALONE * self.alone


class Meter:
    """Measures as a transfer would: with noise, and WRITE and READ each by itself."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self._truth = truth
        self._noise = random.Random(seed)
        self.count: dict[str | None, int] = {}

    def __call__(self, gpu: str | None, devices: Sequence[str]) -> Rates:
        """Return what the devices carried."""
        self.count[gpu] = self.count.get(gpu, 0) + 1
        gbps = self._truth.gbps(gpu, numbers(devices))
        return Rates(*(gbps * self._noise.gauss(1, NOISE) for _ in range(2)))


def numbers(devices: Sequence[str]) -> list[int]:
    """Return the places of devices among the drawn NICs."""
    return [int(device.removeprefix("mlx5_").partition(":")[0]) for device in devices]


def rows(seed: int, most_gpus: int = 8) -> list[Row]:
    """Draw a machine, measure it and return what `best` carries, for each memory."""
    truth = drawn(seed, most_gpus)
    with tempfile.TemporaryDirectory() as folder:
        tree = write(truth.host, Path(folder))
        machine = _core.read_sysfs(str(tree.sys), str(tree.dev))
    meter = Meter(truth, seed)
    memories = [None, *(each.pci for each in machine.gpus)]
    made = calibrate(machine, meter, memories)
    measured = _core.parse_calibration("simulated", made.text())
    return [_row(seed, truth, machine, gpu, measured, meter.count[gpu]) for gpu in memories]


def _row(
    seed: int,
    truth: Truth,
    machine: _core.Machine,
    gpu: str | None,
    measured: _core.Calibration,
    count: int,
) -> Row:
    usable = numbers(_core.select_nics(machine, "all").devices)
    most, _ = truth.best(gpu, usable)

    def part(stripe: str, known: _core.Calibration | None = None) -> float:
        chosen = _core.select_nics(machine, stripe, gpu, None, known)
        return truth.gbps(gpu, numbers(chosen.devices)) / most

    return Row(
        seed,
        len(usable),
        len(truth.gpus),
        gpu,
        count,
        best=round(part("best", measured), 4),
        all=round(part("all"), 4),
        model=round(part("best"), 4),
        alone=round(truth.best_alone(gpu, usable) / most, 4),
    )


def summary(found: Sequence[Row]) -> dict[str, Any]:
    """Return the figures of the documents."""
    machines = {row.seed: 0 for row in found}
    for row in found:
        machines[row.seed] += row.measured
    return {
        "machines": len(machines),
        "memories": len(found),
        "measurements_most": max(machines.values()),
        "measurements_median": statistics.median(machines.values()),
        "worst": {key: min(asdict(row)[key] for row in found) for key in _PARTS},
        "median": {key: statistics.median(asdict(row)[key] for row in found) for key in _PARTS},
        "below": sum(not row.holds for row in found),
        "best_over_alone_worst": round(min(row.best / row.alone for row in found), 4),
    }


_PARTS = ("best", "model", "all", "alone")


def main() -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=5000, help="of the first machine")
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--gpus", type=int, default=8, help="most GPUs of a machine")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the rows here")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.machines)
    with ProcessPoolExecutor(given.processes) as pool:
        found = [
            row for each in pool.map(partial(rows, most_gpus=given.gpus), seeds) for row in each
        ]
    figures = summary(found)
    done = {"summary": figures, "rows": [asdict(row) for row in found]}
    if given.json is not None:
        origin = Origin().taken()
        given.json.write_text(json.dumps({**origin, **done}, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    for row in found:
        if not row.holds:
            sys.stdout.write(f"below: {row}\n")
    return 1 if figures["below"] else 0


if __name__ == "__main__":
    sys.exit(main())
