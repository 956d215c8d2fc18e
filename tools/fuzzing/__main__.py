# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target for some seconds, two at a time, and prints or saves what happened.

python -m fuzzing --seconds 60 --json docs/results/fuzz.json
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin

from fuzzing import cpp

ROOT = Path(__file__).parents[2]
_AT_A_TIME = 2
PARTS = ("plugin", "Python")


def python_rows(names: Sequence[str], seconds: int) -> list[dict[str, Any]]:
    """Run readers of tests/fuzz, each in a process of its own."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda name: _python(name, seconds), names))


def _python(name: str, seconds: int) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "tests/fuzz/readers.py"), "--reader", name]
    command += ["--seconds", str(seconds), "--tries", str(1 << 60)]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace")
    row = json.loads(ended.stdout) if ended.returncode == 0 else {"tries": 0}
    return {
        "part": "Python",
        "reader": name,
        "tries": row["tries"],
        "seconds": seconds,
        "slowest_s": 0,
        "finding": "" if ended.returncode == 0 else ended.stderr[-4000:],
    }


def cpp_rows(build: Path, seconds: int) -> list[dict[str, Any]]:
    """Build and run libFuzzer's targets."""
    cpp.build(build)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda target: cpp.run(target, build, seconds), cpp.TARGETS))


def versions() -> dict[str, str]:
    """Return what the figures depend on."""
    clang = subprocess.run(["clang++", "-dumpversion"], capture_output=True, text=True, check=True)
    return {
        "nixl-stripe": __version__,
        "clang": clang.stdout.strip(),
        "Python": platform.python_version(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run all; exit 1 when there is a finding."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=15, help="for each target")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: both")
    parser.add_argument("--build", type=Path, default=ROOT / ".cache/build-fuzz")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    origin = Origin(["scripts/fuzz-long", "--seconds", str(options.seconds)])
    rows: list[dict[str, Any]] = []
    if "plugin" in (options.part or PARTS):
        rows += cpp_rows(options.build, options.seconds)
    if "Python" in (options.part or PARTS):
        from fuzz.readers import READERS

        rows += python_rows(list(READERS), options.seconds)
    for row in rows:
        print(f"{row['part']:8}{row['reader']:16}{row['tries']:>12} tries, "
              f"{'FINDING' if row['finding'] else 'nothing found'}")  # fmt: skip
        print(row["finding"], end="", file=sys.stderr)
    if options.json is not None:
        document = {**origin.taken(), "versions": versions(), "rows": rows}
        options.json.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return 1 if any(row["finding"] or not row["tries"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
