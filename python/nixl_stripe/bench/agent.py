# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Time to create a UCX backend: stock against patched, in interleaved processes.

    python -m nixl_stripe.bench.agent STOCK PATCHED [--rounds 7] [--agents 15] [--json FILE]

STOCK and PATCHED are folders that hold an unpacked or installed NIXL. Every round runs one process
of each; a process creates `agents` backends one after the other and leaves the first out, which
pays for loading UCX.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe._core import __version__
from nixl_stripe.bench.kernel import kernel_release
from nixl_stripe.errors import StripeError

_PROGRAM = """
import importlib, json, sys, time
nixl = importlib.import_module(sys.argv[1] + "._api")
params = json.loads(sys.argv[3])
seconds = []
for index in range(int(sys.argv[2])):
    agent = nixl.nixl_agent(f"agent{index}", nixl.nixl_agent_config(backends=[]))
    start = time.perf_counter()
    agent.create_backend("UCX", params)
    seconds.append(time.perf_counter() - start)
    del agent
print("SECONDS " + json.dumps(seconds[1:]))
"""


def create_times(site: Path, module: str, agents: int, params: dict[str, str]) -> list[float]:
    """Return the creation times of `agents - 1` backends in seconds, from one fresh process."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))}
    # The wheel's RDMA modules can crash where there is no RDMA stack; both sides go without.
    environment = {**clean, "PYTHONPATH": str(site), "UCX_MODULES": "^ib"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module, str(agents), json.dumps(params)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("SECONDS "):
            times: list[float] = json.loads(line.removeprefix("SECONDS "))
            return times
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    raise StripeError(f"no backend could be created from {site}: {last}")


COLUMNS = ("case", "median_ms", "quartiles_ms", "over_stock_ms", "ratio", "samples")


def _on_stderr(text: str) -> None:
    print(text, file=sys.stderr)


def measure(
    stock: Path,
    patched: Path,
    module: str,
    rounds: int,
    agents: int,
    say: Callable[[str], None] = _on_stderr,
) -> dict[str, Any]:
    """Interleave both sides and return medians, spreads (quartiles) and the ratio."""
    cases: dict[str, tuple[Path, dict[str, str]]] = {
        "stock": (stock, {}),
        "patched": (patched, {}),
        "patched, max_rma_rails=4": (patched, {"max_rma_rails": "4"}),
        "patched, stripe=all": (patched, {"stripe": "all"}),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for name, (site, params) in cases.items():
            times[name] += create_times(site, module, agents, params)
    base = statistics.median(times["stock"])
    rows = []
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        rows.append(
            {
                "case": name,
                "median_ms": round(middle * 1e3, 3),
                "quartiles_ms": [round(low * 1e3, 3), round(high * 1e3, 3)],
                "over_stock_ms": round((middle - base) * 1e3, 3),
                "ratio": round(middle / base, 4),
                "samples": len(values),
            }
        )
    machine = {"cpu": platform.machine(), "cores": os.cpu_count(), "kernel": kernel_release()}
    versions = {"nixl_stripe": __version__, "python": platform.python_version()}
    return {"machine": machine, "versions": versions, "rows": rows}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("stock", type=Path)
    parser.add_argument("patched", type=Path)
    parser.add_argument("--module", default="nixl_cu12", help="import name of both")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--agents", type=int, default=15, help="backends a process")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args(argv)
    try:
        result = measure(
            arguments.stock,
            arguments.patched,
            arguments.module,
            arguments.rounds,
            arguments.agents,
        )
    except StripeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    text = json.dumps(result, indent=2) + "\n"
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
