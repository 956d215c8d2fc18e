# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Stock NIXL and ours in turns on a bed, each process for some time: what grows, and how fast.

python -m soak --minutes 6 --json docs/results/soak-tcp.json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.job import Role
from nixl_stripe.lab.rails.rails import Rails, rail_environment
from nixl_stripe.wheel.installs import Installs, prepare

WORKER = Path(__file__).with_name("worker.py")
RAILS = 4
SIDES: Mapping[str, Mapping[str, str]] = {
    "stock": {},
    "ours": {"stripe": "all", "stripe_small": "spread"},
    "ours, 64 rails": {"max_rma_rails": "64"},
}
#: What a sample holds, and how much more a cycle may leave with ours than with stock: noise.
ALLOWED = {"rss_kib": 64.0, "fds": 0.1, "threads": 0.02}
#: Cycles that a side makes at least, so that there is a slope.
LEAST = 18


def slope(samples: Sequence[Mapping[str, int]], key: str) -> float:
    """Return the growth a cycle over the second half of the samples, by least squares."""
    half = samples[len(samples) // 2 :]
    xs = [float(each["cycle"]) for each in half]
    ys = [float(each[key]) for each in half]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    if spread == 0:
        raise StripeError(f"{len(samples)} samples make no slope: give more --minutes")
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


def run_side(rails: Rails, name: str, installs: Installs, module: str, seconds: float) -> Any:
    """Soak one side in the initiator's namespace; return its row."""
    site = installs.stock if name == "stock" else installs.patched
    job = {"site": str(site), "module": module, "params": dict(SIDES[name]), "requests": 60}
    job |= {"seconds": seconds, "least": LEAST}
    programs: dict[Role, list[str]] = {
        "initiator": [sys.executable, str(WORKER), "soak", json.dumps(job)],
        "target": [sys.executable, "-c", ""],
    }
    ended = rails.run_programs(programs, limit_s=4 * seconds + 240)["initiator"]
    lines = [line for line in ended.output.splitlines() if line.startswith('{"samples"')]
    if ended.status != 0 or not lines:
        raise StripeError(f"{name}: exit code {ended.status}: {ended.output[-2000:]}")
    found = json.loads(lines[-1])
    return {
        "side": name,
        **found,
        "growth": {key: round(slope(found["samples"], key), 3) for key in ALLOWED},
    }


def faults(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what grows faster with ours than with stock beside it, in words."""
    stock = next(row for row in rows if row["side"] == "stock")["growth"]
    return [
        f"{row['side']}: {key} grow by {row['growth'][key]} a cycle, stock by {stock[key]}"
        for row in rows
        for key, more in ALLOWED.items()
        if row["growth"][key] > stock[key] + more
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Soak all sides; exit 1 when ours grows faster than stock."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=6, help="for all sides together")
    parser.add_argument("--nixl", default="nixl-cu12==1.5.1")
    parser.add_argument("--cache", type=Path, default=Path(".cache/soak"))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    origin = Origin(["scripts/soak", "--minutes", f"{options.minutes:g}"])
    try:
        installs = prepare(
            options.cache.resolve(), options.nixl, None, lambda text: print(text, flush=True)
        )
        module = options.nixl.partition("==")[0].replace("-", "_")
        os.environ.update({k: v for k, v in rail_environment("dram").items() if v})
        os.environ.update({"UCX_PROTO_INFO": "n", "NIXL_LOG_LEVEL": "ERROR"})
        with Rails(RAILS, None) as rails:
            seconds = options.minutes * 60 / len(SIDES)
            rows = [run_side(rails, name, installs, module, seconds) for name in SIDES]
    except StripeError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    for row in rows:
        print(f"{row['side']:16}{row['cycles']:>6} cycles {row['descriptors']:>9} descriptors, "
              f"growth a cycle {row['growth']}")  # fmt: skip
    if options.json is not None:
        document = {
            **origin.taken(),
            "versions": {"nixl": options.nixl, "nixl-stripe": __version__},
            "bed": "tcp",
            "rows": rows,
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    found = faults(rows)
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
