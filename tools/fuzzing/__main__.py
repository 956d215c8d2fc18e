# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target for some seconds and prints or saves what happened.

python -m fuzzing --seconds 60 --json docs/results
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine

from fuzzing import cpp, python

ROOT = Path(__file__).parents[2]
PARTS = ("plugin", "Python")
_NO_LIMIT = 1 << 60


def cpp_rows(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Build and run libFuzzer's targets."""
    cpp.build(options.build)
    return cpp.rows(options.build, options.seconds, options.processes, options.only or ())


def versions(part: str) -> dict[str, str]:
    """Return what the figures of a part depend on."""
    if part == "Python":
        return {"nixl-stripe": __version__, "Python": platform.python_version()}
    clang = subprocess.run(["clang++", "-dumpversion"], capture_output=True, text=True, check=True)
    return {"nixl-stripe": __version__, "clang": clang.stdout.strip()}


def run_part(part: str, options: argparse.Namespace) -> bool:
    """Run a part, print its rows and save them; return whether all is well."""
    origin = Origin(["scripts/fuzz-long", *_asked(part, options)])
    if part == "plugin":
        rows = cpp_rows(options)
    else:
        left_out = options.without or ()
        names = [name for name in options.only or python.names() if name not in left_out]
        rows = python.rows(names, options.seconds, options.tries, options.processes)
    for row in rows:
        print(f"{row['part']:8}{row['reader']:20}{row['tries']:>12} tries, "
              f"{'FINDING' if row['finding'] else 'nothing found'}")  # fmt: skip
        print(row["finding"], end="", file=sys.stderr)
    if options.json is not None:
        document = {**origin.taken(), "machine": machine(), "versions": versions(part)}
        again = "-again" if options.only else ""
        path = options.json / f"fuzz-{part.lower()}{again}.json"
        path.write_text(json.dumps({**document, "rows": rows}, indent=2) + "\n", "utf-8")
    return all(row["tries"] and not row["finding"] for row in rows)


def _asked(part: str, options: argparse.Namespace) -> list[str]:
    words = ["--part", part, "--seconds", str(options.seconds)]
    words += ["--processes", str(options.processes)]
    words += [f"--only={name}" for name in options.only or ()]
    if part == "Python":
        words += ["--tries", str(options.tries)] if options.tries < _NO_LIMIT else []
        words += [f"--without={name}" for name in options.without or ()]
    return words


def _readers() -> dict[str, Sequence[str]]:
    """Return the names of the readers of each part."""
    return {"plugin": cpp.TARGETS, "Python": python.names()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run all; exit 1 when there is a finding."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=15, help="of a process, for each target")
    parser.add_argument("--tries", type=int, default=_NO_LIMIT, help="for each reader in Python")
    parser.add_argument("--processes", type=int, default=2, help="at a time")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: both")
    parser.add_argument("--only", action="append", help="a reader, saved as ...-again")
    parser.add_argument("--without", action="append", help="a reader in Python to leave out")
    parser.add_argument("--build", type=Path, default=ROOT / ".cache/build-fuzz")
    parser.add_argument("--json", type=Path, metavar="FOLDER", help="fuzz-PART.json in it")
    options = parser.parse_args(argv)
    if options.only:
        parts = _readers()
        options.part = [part for part in parts if set(options.only) <= set(parts[part])]
        if not options.part:
            each = "; or ".join(f"of {part}, {', '.join(names)}" for part, names in parts.items())
            parser.error(f"--only {' '.join(options.only)}: accepted are {each}")
    good = [run_part(part, options) for part in options.part or PARTS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
