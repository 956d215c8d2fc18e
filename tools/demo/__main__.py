# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Shows what the patched NIXL gains: one rail, stock, patched, over the same rate limited rails.

Exit status: 0 when the patched NIXL used every rail, 1 when it did not or something failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

from interrupts import interruptible
from nixl_stripe import __version__
from nixl_stripe.bench.kernel import kernel_release
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.load import busy_text, load_average
from nixl_stripe.lab.outcome import Outcome
from nixl_stripe.lab.rails.rails import Rails, why_not
from nixl_stripe.terminal import Screen, progress
from nixl_stripe.wheel.installs import Installs, prepare, published
from nixl_stripe.wheel.written import cache_folder

from demo.cases import Case, Summary, cases
from demo.leave import leave_patched, next_text
from demo.loopback import check
from demo.options import LEAVE, parse
from demo.picture import draw
from demo.report import lane_text, show

_MIB = 1 << 20
#: Seconds for each wait: what takes one on an idle machine may take 30 on a busy one.
_LIMIT_S = 120.0


def _transfer_bytes(options: argparse.Namespace) -> int:
    """Return the size of one transfer: so long that the milliseconds of its start do not count."""
    return (16 if options.quick else 256) * _MIB


def _rounds(options: argparse.Namespace, todo: Sequence[Case]) -> dict[str, list[Outcome]]:
    """Run all cases in turn, round after round, so that a busy machine is so for all of them."""
    reps = options.repeats or (1 if options.quick else 5)
    size = _transfer_bytes(options)
    found: dict[str, list[Outcome]] = {case.key: [] for case in todo}
    with Rails(options.nics, options.mbit) as rails, progress() as say:
        for i in range(reps):
            for case in todo:
                say(f"round {i + 1} of {reps}: {case.title}")
                outcome = rails.transfer(
                    sizes=[size],
                    repeats=3,
                    nixl=case.site,
                    backend_params=case.params,
                    limit_s=_LIMIT_S,
                )
                found[case.key].append(outcome.require())
    return found


def _machine(installs: Installs) -> dict[str, Any]:
    return {
        "machine": {
            "system": f"{platform.system()} {kernel_release()} {platform.machine()}",
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
        },
        "versions": {"nixl_stripe": __version__, "nixl": installs.stock_wheel.split("-")[1]},
        "wheels": {"stock": installs.stock_wheel, "patched": installs.patched_wheel},
    }


def _over_rails(
    options: argparse.Namespace, installs: Installs, screen: Screen
) -> tuple[dict[str, Any], list[str]]:
    """Measure and print; return the results and what went against the promise."""
    before = load_average()
    todo = cases(installs, options.nics)
    found = _rounds(options, todo)
    rows = [Summary.of(case, found[case.key]) for case in todo]
    _, stock, patched = rows
    capacity = options.nics * options.mbit * 1e-3
    speedup, efficiency = patched.gbps / stock.gbps, patched.gbps / capacity
    title = f"NIXL WRITE, {options.nics} rails of {options.mbit:g} Mbit/s, every byte verified"
    show(screen, rows, title)
    screen.say(
        f"{speedup:.2f} times stock; {efficiency:.1%} of the {capacity:g} Gbit/s that "
        f"{options.nics} rails allow"
    )
    busy = busy_text(before)
    if busy:
        screen.say(screen.styled(busy, "yellow"))
    results = {
        "bed": "rails",
        "mbit": options.mbit,
        "transfer_bytes": _transfer_bytes(options),
        "capacity_gbps": capacity,
        **{row.case.key: row.to_dict() for row in rows},
        "speedup": speedup,
        "efficiency": efficiency,
    }
    return results, [row.problem for row in rows if row.problem]


def _over_loopback(
    options: argparse.Namespace, installs: Installs, screen: Screen, reason: str
) -> tuple[dict[str, Any], list[str]]:
    """Show the rail count alone, and say what is missing."""
    rows = [check(case) for case in cases(installs, options.nics)]
    for row in rows:
        read = "" if row.max_rma_rails is None else f"; UCX read back {row.max_rma_rails}"
        screen.say(f"{row.case.title}: lanes over loopback: {lane_text(row.lanes)}{read}")
    missing = "rates, bytes per rail and more lanes than this machine has interfaces"
    screen.say(screen.styled(f"Not shown: {missing}. {reason}", "yellow"))
    results = {
        "bed": "loopback",
        "not_shown": f"{missing}: {reason}",
        **{row.case.key: row.to_dict() for row in rows},
        "speedup": None,
        "efficiency": None,
    }
    return results, [row.problem for row in rows if row.problem]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; see the module's text for the exit status."""
    options = parse(argv, cache_folder() / "bench")
    said = [word for word in argv or sys.argv[1:] if word != LEAVE]
    start, origin = time.monotonic(), Origin(["scripts/demo", *said])
    screen, aside = Screen(sys.stdout), Screen(sys.stderr)
    try:
        installs = prepare(
            options.cache,
            options.nixl,
            options.patched_wheel,
            lambda text: aside.say(f"==> {text}"),
        )
        reason = "--no-namespaces was given." if options.no_namespaces else why_not()
        if reason is None:
            results, problems = _over_rails(options, installs, screen)
        else:
            results, problems = _over_loopback(options, installs, screen, reason)
    except StripeError as error:
        aside.say(f"demo: {error}")
        if busy := busy_text(load_average(), so="it may be why"):
            aside.say(f"demo: {busy}")
        return 1
    about = {**origin.taken(), "rails": options.nics, "ok": not problems}
    results = {**about, **results, **_machine(installs)}
    results["seconds"] = time.monotonic() - start
    problems += _written(options, results, picture=reason is None)
    for problem in problems:
        aside.say(f"demo: {problem}")
    if problems:
        return 1
    return _left(options, screen, aside) if options.leave_patched else 0


def _written(options: argparse.Namespace, results: dict[str, Any], *, picture: bool) -> list[str]:
    """Write the files that were asked for; return what went wrong."""
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    try:
        if options.png and picture:
            draw(options.png, results)
    except StripeError as error:
        return [str(error)]
    return []


def _left(options: argparse.Namespace, screen: Screen, aside: Screen) -> int:
    """Leave a patched NIXL for this Python and say what to do with it."""
    try:
        stock = published(options.cache / "wheels", options.nixl, aside.say)
        leave_patched(stock, lambda text: aside.say(f"==> {text}"))
    except StripeError as error:
        aside.say(f"demo: {error}")
        return 1
    screen.say(f"\n{next_text()}")
    return 0


if __name__ == "__main__":
    sys.exit(interruptible("demo", main))
