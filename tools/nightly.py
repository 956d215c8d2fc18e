# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tries our plugin in the newest NIXL that the package index has, before users do.

Exit code 0: it works, or this NIXL was tried before. 1: it is refused, and the line says why.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import version_matrix
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.versions import NEWEST
from packaging.version import Version


def judged(name: str, version: str) -> dict[str, Any]:
    """Return what became of one NIXL: `verdict` (works, refused) and `because`."""
    row: dict[str, Any] = {"nixl": name, "version": version, "is_new": is_new(version)}
    try:
        with tempfile.TemporaryDirectory(prefix="nixl-stripe-nightly-") as scratch:
            found = version_matrix.try_version(name, version, Path(scratch), with_rails=True)
    except Exception as error:  # whatever a NIXL from the future brings, the night ends with a line
        lines = [line for line in str(error).splitlines() if line.strip()]
        text = lines[-1] if lines else "no text"
        return {**row, "verdict": "refused", "because": f"{type(error).__name__}: {text}"}
    wrong = version_matrix.failures(found)
    verdict = "refused" if wrong else "works"
    return {**row, "verdict": verdict, "because": "; ".join(wrong), "found": found}


def is_new(version: str) -> bool:
    """Return whether no test of this checkout has seen it."""
    return Version(version) > Version(NEWEST)


def main(argv: Sequence[str] | None = None) -> int:
    """Try the newest of every flavour; see the module for the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/nightly", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here")
    options = parser.parse_args(argv)
    origin = Origin(["scripts/nightly"])
    rows = [judged(name, version_matrix.published(name)[0]) for name in version_matrix.FLAVOURS]
    for row in rows:
        because = f", because {row['because']}" if row["because"] else ""
        new = " (new)" if row["is_new"] else ""
        print(f"{row['nixl']} {row['version']}{new}: {row['verdict']}{because}")
    if options.json:
        text = json.dumps({**origin.taken(), "schema": 1, "rows": rows}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if any(row["verdict"] == "refused" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
