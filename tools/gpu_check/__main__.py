# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Measures NIXL with this machine's GPU over rate limited rails: stock against patched.

    python -m gpu_check [--json FILE] [--steps scaling,refit] [--quick]

Torch tensors where torch is installed, the CUDA driver's own allocations elsewhere; every payload
is verified, torch's on the GPU. Exit status: 0 when every goal was met, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from interrupts import interruptible
from nixl_stripe import __version__
from nixl_stripe.bench import agent as agent_bench
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.rails.rails import clean_environment, why_not
from nixl_stripe.wheel.installs import Installs, prepare

from gpu_check import goals, host, lookups, registration, steps
from gpu_check.report import text

_MIB = 1 << 20
STEPS = ("lookups", "scaling", "fast", "refit", "create", "register")


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="gpu-check", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="write the results here, after every step")
    add("--steps", default=",".join(STEPS), help=f"which of {', '.join(STEPS)} (default: all)")
    add("--quick", action="store_true", help="one round of small transfers, and goals of its own")
    add("--nixl", help="what pip downloads, or a wheel file (default: by this machine's CUDA)")
    add(
        "--stock-folder",
        "--stock",
        dest="stock",
        type=Path,
        metavar="DIR",
        help="an unpacked stock NIXL; needs --patched-folder",
    )
    add(
        "--patched-folder",
        "--patched",
        dest="patched",
        type=Path,
        metavar="DIR",
        help="the same NIXL, patched",
    )
    add("--cache", type=Path, default=Path(".cache/gpu-check"), metavar="DIR")
    found = parser.parse_args(argv)
    found.steps = [name for name in found.steps.split(",") if name]
    unknown = sorted(set(found.steps) - set(STEPS))
    if unknown or not found.steps:
        parser.error(f"--steps {','.join(unknown)!r}: accepted are {', '.join(STEPS)}")
    if (found.stock is None) != (found.patched is None):
        parser.error("--stock-folder and --patched-folder: both or neither")
    return found


class Run:
    """One run: the settings, what was found, and where it goes."""

    def __init__(self, found: argparse.Namespace) -> None:
        self._options = found
        self._start = time.monotonic()
        self._origin = Origin(["scripts/gpu-check", *sys.argv[1:]])
        self.result: dict[str, Any] = {
            "machine": host.describe(),
            "quick": found.quick,
            "errors": [],
        }
        major = host.cuda_major()
        self._package = f"nixl_cu{major}"
        if found.stock is not None:
            names = found.stock.name, found.patched.name
            installs = Installs(found.stock.resolve(), found.patched.resolve(), *names)
        else:
            source = found.nixl or f"nixl-cu{major}"
            installs = prepare(found.cache, source, None, self.say)
        if not (installs.stock / self._package).is_dir():
            flavours = sorted(path.name for path in installs.stock.glob("nixl_cu*"))
            raise StripeError(
                f"CUDA {major} needs {self._package}, but {installs.stock} has "
                f"{', '.join(flavours) or 'no NIXL'}: GPU memory would pass for host memory"
            )
        torch = host.has_torch()
        rounds = 1 if found.quick else 3
        self.setup = steps.Setup(installs, "torch" if torch else "driver", rounds)
        self.result["versions"] = {"nixl_stripe": __version__, "nixl": self._package}
        self.result["allocator"] = self.setup.allocator

    def say(self, what: str) -> None:
        """Tell where the run is."""
        print(f"[{time.monotonic() - self._start:5.0f} s] {what}", file=sys.stderr, flush=True)

    def step(self, name: str) -> None:
        """Run one step and keep what it found; what it had when it failed is kept too."""
        todo: dict[str, Callable[[], Any]] = {
            "lookups": self._lookups,
            "scaling": self._scaling,
            "fast": self._fast,
            "refit": self._refit,
            "create": self._create,
            "register": self._register,
        }
        self.say(name)
        try:
            todo[name]()
        except (StripeError, OSError, subprocess.TimeoutExpired) as error:
            self.say(f"{name}: {error}")
            self.result["errors"].append(f"{name}: {error}")
        self.save()

    def save(self) -> None:
        """Check the goals and write the file, if one is wanted."""
        self.result["checks"] = goals.check(self.result)
        self.result.update(self._origin.taken())
        if self._options.json:
            self._options.json.parent.mkdir(parents=True, exist_ok=True)
            draft = self._options.json.with_suffix(".tmp")
            draft.write_text(json.dumps(self.result, indent=1) + "\n", encoding="utf-8")
            draft.replace(self._options.json)

    def _lookups(self) -> None:
        site = self.setup.installs.patched
        self.result["lookups"] = lookups.lookups(site, [self._package])

    def _scaling(self) -> None:
        rows: list[dict[str, Any]] = self.result.setdefault("scaling", [])
        size = (16 if self._options.quick else 256) * _MIB
        rows.extend(steps.scaling(self.setup, self.say, (1, 2, 4, 8), 1000, size))

    def _fast(self) -> None:
        rows: list[dict[str, Any]] = self.result.setdefault("fast", [])
        size = (64 if self._options.quick else 512) * _MIB
        rows.extend(steps.scaling(self.setup, self.say, (1, 8), 3000, size))

    def _refit(self) -> None:
        rows: list[dict[str, Any]] = self.result.setdefault("refit", [])
        total = (64 if self._options.quick else 512) * _MIB
        rows.extend(steps.refit(self.setup, self.say, 4, 3000, steps.uneven(total, 290)))

    def _create(self) -> None:
        installs, rounds = self.setup.installs, 1 if self._options.quick else 6
        self.result["create"] = agent_bench.measure(
            installs.stock, installs.patched, self._package, rounds, 15
        )

    def _register(self) -> None:
        rows: list[dict[str, Any]] = self.result.setdefault("register", [])
        for memory in ("dram", "vram"):
            self.say(f"register {memory}")
            rows += self._registration(memory)

    def _registration(self, memory: str) -> list[dict[str, Any]]:
        job = {
            "site": str(self.setup.installs.patched),
            "packages": [self._package],
            "params": {},
            "memory": memory,
            "allocator": self.setup.allocator,
            "total": 512 * _MIB,
            "counts": [1, 16, 290, 2048],
            "rounds": 2 if self._options.quick else 7,
            "threads": 4,
        }
        done = subprocess.run(
            [sys.executable, "-m", registration.__name__, json.dumps(job)],
            # No RDMA module: the wheel's bundled one can crash on machines without RDMA.
            env={**clean_environment({}), "UCX_MODULES": "^ib"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        for line in done.stdout.splitlines():
            if line.startswith("ROWS "):
                rows: list[dict[str, Any]] = json.loads(line.removeprefix("ROWS "))
                return rows
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise StripeError(f"register, {memory}: {last}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps; see the module."""
    found = options(argv)
    needs_rails = {"scaling", "fast", "refit"} & set(found.steps)
    try:
        reason = why_not() if needs_rails else None
        if reason:
            raise StripeError(f"{', '.join(sorted(needs_rails))}: {reason}")
        run = Run(found)
        for name in found.steps:
            run.step(name)
    except StripeError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return error.exit_code
    print(text(run.result))
    return 0 if all(check["ok"] for check in run.result["checks"]) else 1


if __name__ == "__main__":
    sys.exit(interruptible("gpu-check", main))
