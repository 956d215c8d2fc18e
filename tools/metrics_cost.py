# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Measures what `stripe_metrics` with a scraped `export` beside it takes from a transfer's rate.

    export PYTHONPATH=tools
    python tools/metrics_cost.py --nixl FOLDER --json docs/results/metrics-cost.json
    python tools/metrics_cost.py --account --json docs/results/account-cost.json

Over rails of this host, without root where it has user namespaces. Rounds are interleaved: each is
a transfer without and one with metrics, in turns, and a ratio is that of the same round. "twin" is
a second transfer without, which shows what noise does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine
from nixl_stripe.lab.job import Nixl
from nixl_stripe.lab.rails.rails import Rails
from posting.ratios import paired

_PORT = 19817
ROOT = Path(__file__).parents[1]
SCRAPE_S = 1.0
"""Between two scrapes, fifteen times as often as the example's Prometheus."""


def size_of(url: str) -> int:
    """Return the bytes of an answer."""
    with urllib.request.urlopen(url, timeout=10) as got:  # noqa: S310
        return len(got.read())


@contextlib.contextmanager
def scraped(folder: Path) -> Iterator[list[float]]:
    """Run `export --agents` and scrape it; yields the bytes of each answer."""
    program = "from nixl_stripe.cli import main; raise SystemExit(main())"
    address = f"127.0.0.1:{_PORT}"
    command = (sys.executable, "-c", program, "export", "--listen", address, "--agents", folder)
    answers: list[float] = []
    end = threading.Event()

    def scrape() -> None:
        while not end.wait(SCRAPE_S):
            with contextlib.suppress(OSError):
                answers.append(size_of(f"http://{address}/metrics"))

    exporter = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield answers
    finally:
        end.set()
        thread.join()
        exporter.terminate()
        exporter.wait()


def unscraped() -> contextlib.AbstractContextManager[list[float]]:
    """Stand where nothing is asked."""
    return contextlib.nullcontext([])


def seconds(bed: Rails, nixl: Nixl, size: int, repeats: int, params: dict[str, str]) -> float:
    """Return the median of a transfer's repetitions."""
    outcome = bed.transfer(
        sizes=[size],
        op="WRITE",
        nixl=nixl,
        repeats=repeats,
        backend_params={"stripe": "all", **params},
    ).require()
    return float(statistics.median(each.seconds for each in outcome.initiator.repetitions))


def account() -> dict[str, Any]:
    """Compile and run `account_cost.cpp`: nanoseconds of one put, without and with the account."""
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-metrics-") as scratch:
        return {"rows": account_rows(Path(scratch))}


def account_rows(scratch: Path) -> list[dict[str, Any]]:
    """Return what the program prints."""
    sources = [ROOT / "tools" / "account_cost.cpp"]
    names = ("account", "open_flushes", "operation_path", "packed_key")
    sources += [ROOT / f"nixl_patch/ucx/{name}.cpp" for name in names]
    program = scratch / "account_cost"
    options = ("-O2", "-std=c++17", "-pthread", f"-I{ROOT / 'nixl_patch'}")
    subprocess.run(["g++", *options, *sources, "-o", program], check=True)
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(found: argparse.Namespace) -> dict[str, Any]:
    """Return the figures."""
    nixl = Nixl.find(found.nixl)
    taken: dict[str, list[float]] = {"without": [], "twin": [], "with metrics": []}
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-metrics-") as scratch:
        folder = Path(scratch)
        asks = {"stripe_metrics": f"{folder}/%p.prom"}
        order = list(taken)
        answers: list[float] = []
        with Rails(found.rails, found.mbit) as bed:
            for _ in range(found.rounds):
                order.append(order.pop(0))  # nobody is always first
                for mode in order:
                    with scraped(folder) if mode == "with metrics" else unscraped() as scrapes:
                        params = asks if mode == "with metrics" else {}
                        taken[mode].append(seconds(bed, nixl, found.size, found.repeats, params))
                    answers += scrapes
                print(json.dumps({mode: round(each[-1], 4) for mode, each in taken.items()}))
        files = len(list(folder.glob("*.prom")))
    return {
        "rows": [
            {
                "mode": mode,
                "seconds": round(statistics.median(each), 4),
                "ratio": asdict(paired(each, taken["without"])),
            }
            for mode, each in taken.items()
        ],
        "scrapes": len(answers),
        "largest_answer_bytes": max(answers, default=0),
        "files": files,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="metrics_cost", description=__doc__)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--nixl", metavar="FOLDER", help="a folder with a patched NIXL")
    what.add_argument("--account", action="store_true", help="only what it adds to a put")
    add("--rails", type=int, default=4)
    add("--mbit", type=float, default=200, help="of each rail")
    add("--size", type=int, default=32 << 20)
    add("--repeats", type=int, default=5)
    add("--rounds", type=int, default=10, help="6 or more")
    add("--json", type=Path)
    found = parser.parse_args(argv)
    origin = Origin(["tools/metrics_cost.py", *(sys.argv[1:] if argv is None else argv)])
    started = time.monotonic()
    figures = account() if found.account else measure(found)
    result = {
        "machine": machine(),
        "versions": {"nixl-stripe": __version__},
        **origin.taken(),
        "seconds": round(time.monotonic() - started, 1),
        **figures,
    }
    print(json.dumps(figures, indent=1))
    if found.json is not None:
        found.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
