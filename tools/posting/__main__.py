# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Measures what posting costs on this host: stock, patched, and with small buffers spread.

All sides are there at once and take turns, round by round. A ratio is that of a side's time to
stock's in the same round; "stock twin" is a second stock NIXL, which shows what noise does. Only
loopback and shared memory carry data.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine
from nixl_stripe.lab.rails.rails import clean_environment, has_gpu

from posting import installs
from posting.cells import MODES, TRANSPORTS, Cell, grid
from posting.ratios import paired

_WORKER = Path(__file__).with_name("worker.py")
_NANOSECONDS = 1e-3  # in microseconds


class Side:
    """A worker of one mode."""

    def __init__(self, mode: str, site: Path, module: str, transport: str) -> None:
        self._params = MODES[mode]
        variables = {**TRANSPORTS[transport], "UCX_MODULES": "^ib", "NIXL_LOG_LEVEL": "ERROR"}
        if has_gpu():
            variables["UCX_TLS"] += ",cuda_copy"  # NIXL refuses less where there is a GPU
        self._process = subprocess.Popen(
            [sys.executable, str(_WORKER), module],
            env=clean_environment({"PYTHONPATH": str(site), **variables}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **job: Any) -> Any:
        """Have the worker do something; return its answer."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps({"do": do, **job}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended with status {self._process.wait()}")
        return json.loads(line)

    def open(self, cell: Cell) -> None:
        """Make the agents of `cell`."""
        params = {**cell.params, **self._params}
        self.ask("open", progress_thread=cell.progress_thread, params=params)

    def close(self) -> None:
        """End the worker."""
        self._process.kill()
        self._process.communicate()


def measure(sides: dict[str, Side], cell: Cell, rounds: int, times: int) -> list[dict[str, Any]]:
    """Return one row a mode: microseconds a descriptor, and the ratios to stock."""
    for side in sides.values():
        job = {"descriptors": cell.descriptors, "bytes": cell.bytes, "operation": cell.operation}
        side.ask("prepare", **job)
    clock: dict[str, list[float]] = {mode: [] for mode in sides}
    cpu: dict[str, list[float]] = {mode: [] for mode in sides}
    order = list(sides)
    for _ in range(rounds):
        order.append(order.pop(0))  # nobody is always first
        for mode in order:
            taken = sides[mode].ask("post", times=times)
            for column, into in enumerate((clock, cpu)):
                each = statistics.median(post[column] for post in taken)
                into[mode].append(each * _NANOSECONDS / cell.descriptors)
    return [
        {
            **asdict(cell),
            "mode": mode,
            "post_us_per_descriptor": round(statistics.median(clock[mode]), 4),
            "cpu_us_per_descriptor": round(statistics.median(cpu[mode]), 4),
            "ratio": asdict(paired(clock[mode], clock["stock"])),
            "cpu_ratio": asdict(paired(cpu[mode], cpu["stock"])),
        }
        for mode in sides
    ]


def run(
    found: argparse.Namespace, sites: installs.Sites, cells: Iterable[Cell]
) -> list[dict[str, Any]]:
    """Measure every cell; agents are shared by cells that differ in the request only."""
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        transport = agents = None
        for cell in cells:
            if cell.transport != transport:
                stack.close()
                sides = {
                    mode: Side(mode, sites.of(mode), sites.module, cell.transport) for mode in MODES
                }
                for side in sides.values():
                    stack.callback(side.close)
                transport = cell.transport
            if agents != (cell.transport, cell.threads, cell.progress_thread):
                for side in sides.values():
                    side.open(cell)
                agents = (cell.transport, cell.threads, cell.progress_thread)
            rows += measure(sides, cell, found.rounds, found.times)
            show(rows[-len(MODES) :])
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print one cell."""
    first = rows[0]
    progress = "on" if first["progress_thread"] else "off"
    print(
        f"{first['transport']} {first['operation']:5} {first['descriptors']} x {first['bytes']} B,"
        f" num_threads {first['threads']}, progress thread {progress}:"
        f" stock {first['post_us_per_descriptor']:.3f} us"
        + "".join(
            f"; {row['mode']} x {row['ratio']['median']:.3f}"
            f" ({row['ratio']['low']:.3f}..{row['ratio']['high']:.3f})"
            for row in rows[1:]
        ),
        flush=True,
    )


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench-posting", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--nixl", metavar="FOLDER|REQUIREMENT", help="a folder with a stock NIXL, or what pip gets")
    add(
        "--patched-folder",
        "--patched",
        dest="patched",
        type=Path,
        metavar="FOLDER",
        help="the same NIXL patched (default: made)",
    )
    add("--transport", choices=TRANSPORTS, action="append", help="default: each of them")
    add("--rounds", type=int, default=20, help="rounds of a cell, 6 or more (default 20)")
    add("--times", type=int, default=5, help="posts of a side in each round (default 5)")
    add("--cells", type=int, default=None, metavar="N", help="only the first N cells")
    add("--json", type=Path, metavar="FILE", help="write the result to this file")
    found = parser.parse_args(argv)
    if found.rounds < 6 or found.times < 1:
        parser.error("--rounds: 6 or more; --times: 1 or more")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    found = options(argv)
    origin = Origin(["bench-posting", *(sys.argv[1:] if argv is None else argv)])
    started = time.monotonic()
    cells = list(grid(tuple(found.transport or TRANSPORTS)))[: found.cells]
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-posting-") as scratch:
        sites = installs.find(found.nixl, found.patched, Path(scratch))
        rows = run(found, sites, cells)
    result = {
        "machine": machine(),
        "versions": {"nixl": sites.version, "nixl-stripe": __version__},
        **origin.taken(),
        "seconds": round(time.monotonic() - started, 1),
        "rows": rows,
    }
    if found.json is not None:
        found.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
