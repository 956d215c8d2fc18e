# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Injects faults into a fleet in namespaces and counts what `nixl-stripe fleet` makes of them.

    python -m fleet_bed --hosts 8 --faults 240 --seed 1 --json docs/results/fleet-8.json --resume

What is injected follows from the seed alone, so that a file's runs can be taken in parts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine
from nixl_stripe.fleet.heat import picture
from nixl_stripe.fleet.model import Kind
from nixl_stripe.fleet.report import to_dict
from nixl_stripe.fleet.sweep import Result

from fleet_bed.bed import Bed
from fleet_bed.faults import KINDS, Fault, draw
from fleet_bed.keeper import Keeper
from fleet_bed.nixl import sites
from fleet_bed.tally import Tally

#: What runs of one file have in common.
_SAME = ("hosts", "rails", "seed", "mbit", "size", "kinds", "healthy", "double_every")


def cases(options: argparse.Namespace) -> Iterator[tuple[Fault, ...]]:
    """Return what is injected, run by run: healthy ones, then each kind in turn.

    Every `double_every`-th run has a second fault, at other hosts: one would hide the other.
    """
    chance = random.Random(options.seed)
    kinds = [Kind(name) for name in options.kinds]
    yield from itertools.repeat((), options.healthy)
    for number in itertools.count():
        first = draw(kinds[number % len(kinds)], options.hosts, options.rails, chance)
        second = first
        while set(first.hosts) & set(second.hosts):
            second = draw(chance.choice(kinds), options.hosts, options.rails, chance)
        is_double = options.double_every and number % options.double_every == 1
        yield (first, second) if is_double else (first,)


def row(faults: Sequence[Fault], result: Result, seconds: float) -> dict[str, Any]:
    """Return a run as data."""
    found = [(each.kind.value, each.hosts, each.nics) for each in result.findings]
    return {
        "injected": [each.named for each in faults],
        "ways": [each.way for each in faults],
        "found": found,
        "evidence": [each.evidence for each in result.findings],
        "rounds": result.rounds,
        "transfers": len(result.transfers),
        "seconds": round(seconds, 2),
    }


def earlier(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the runs that a file has; SystemExit where they are of another fleet."""
    if not (options.resume and options.json and options.json.exists()):
        return []
    before = json.loads(options.json.read_text("utf-8"))
    for name in _SAME:
        if before["options"][name] != getattr(options, name):
            raise SystemExit(f"--resume: {options.json} has {name} {before['options'][name]}")
    runs: list[dict[str, Any]] = before["runs"]
    return runs


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, usual in (("hosts", 8), ("rails", 4), ("faults", 7), ("healthy", 1), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--double-every", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=[each.value for each in KINDS])
    parser.add_argument("--mbit", type=float, default=40.0)
    parser.add_argument("--size", type=int, default=4 << 20)
    parser.add_argument("--timeout", type=float, default=10.0)
    parser.add_argument("--minutes", type=float, default=60.0, help="no run begins after these")
    parser.add_argument("--json", type=Path, help="all runs, and what they add up to")
    parser.add_argument("--svg", type=Path, help="the matrix of the last run")
    parser.add_argument("--resume", action="store_true", help="go on with that file")
    parser.add_argument("--nixl", nargs=2, type=Path, help="folders: patched and stock")
    parser.add_argument("--cache", type=Path, default=Path(".cache/fleet"))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 1 where precision or recall is below 0.98 or a healthy run found anything."""
    options = _arguments(argv)
    origin = Origin(["scripts/fleet-faults", *(sys.argv[1:] if argv is None else argv)])
    runs = earlier(options)
    striped, stock = options.nixl or sites(options.cache)
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        bed = Bed(options.hosts, options.rails, options.mbit, Path(folder))
        keeper = Keeper(bed, striped, stock, options.size, options.timeout)
        try:
            whole = options.healthy + options.faults
            for faults in itertools.islice(cases(options), len(runs), whole):
                begun = time.monotonic()
                if begun > end:
                    break
                result = keeper.run(*faults)
                done = row(faults, result, time.monotonic() - begun)
                runs.append(json.loads(json.dumps(done)))
                print(json.dumps(done), flush=True)
                if options.svg is not None:
                    options.svg.write_text(picture(to_dict(result)), "utf-8")
        finally:
            keeper.close()
    tally = Tally(runs)
    print(json.dumps(tally.to_dict()), flush=True)
    if options.json is not None:
        given = {name: getattr(options, name) for name in _SAME}
        document = {**origin.taken(), "machine": machine(), "options": given}
        text = json.dumps({**document, "tally": tally.to_dict(), "runs": runs}, indent=1)
        options.json.write_text(text + "\n", "utf-8")
    return 0 if tally.ok else 1


if __name__ == "__main__":
    sys.exit(main())
