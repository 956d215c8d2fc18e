# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the two verifications that docs/proof.md shows: of a patched NIXL and of a stock one.

python tools/verify_example.py docs/results/verify.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine
from nixl_stripe.lab.beds.opening import open_bed
from nixl_stripe.lab.job import Nixl
from nixl_stripe.verify import Request, verify
from nixl_stripe.wheel.installs import prepare

_MBIT, _NICS, _SIZE = 800.0, 4, 64 << 20


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _verified(nixl: Path, stock: bool) -> dict[str, Any]:
    nixl = nixl.resolve()
    request = Request(
        size=_SIZE, params={"stripe": "all"}, nixl=Nixl.find(nixl), stock=stock, limit_s=60.0
    )
    with open_bed("tcp", _NICS, _MBIT) as bed:
        report = verify(request, bed, _say)
    found = json.dumps({**report.to_dict(), "text": report.describe()})
    placed: dict[str, Any] = json.loads(found.replace(str(nixl), "FOLDER"))
    return placed


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--nixl", default="nixl-cu12", help="what pip downloads")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench"))
    given = parser.parse_args(arguments)
    origin = Origin(["tools/verify_example.py", str(given.file)])
    installs = prepare(given.cache, given.nixl, None, _say)
    patched = _verified(installs.patched, stock=True)
    unpatched = _verified(installs.stock, stock=False)
    if not patched["ok"] or unpatched["ok"] or not unpatched["results"][0]["verified"]:
        raise SystemExit(f"not an example of the two:\n{patched['text']}\n{unpatched['text']}")
    versions = {"nixl_stripe": __version__, "nixl": patched["results"][0]["nixl_version"]}
    found = {
        **origin.taken(),
        "versions": versions,
        "machine": machine(),
        "patched": patched,
        "unpatched": unpatched,
    }
    given.file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
