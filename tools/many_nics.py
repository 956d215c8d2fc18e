# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Moves one large and many small buffers between guests with many NICs, and says what each carried.

    python tools/many_nics.py --nixl FOLDER --nics 16 20 32 --json docs/results/many-nics.json

FOLDER holds a patched NIXL. READ and WRITE, GPU memory of the fake driver, `stripe=all`; every byte
is checked. 32 NICs take minutes where guests are emulated, so that the tests have 17.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine
from nixl_stripe.lab.guests import Guests
from nixl_stripe.lab.job import OPS

#: Of each NIC's part of the large buffer: less would leave the last NICs without one.
PART = 128 << 10
SMALL, SMALL_EACH = 4 << 10, 8


def measured(nics: int, nixl: Path, cache: Path | None) -> dict[str, Any]:
    """Return boot time, and by operation the share of the NIC with least and with most."""
    start = time.monotonic()
    with Guests(nics=nics, gpus="N", cache=cache, boot_limit_s=400, warm=True) as bed:
        booted = time.monotonic() - start
        outcome = bed.transfer(
            sizes=[nics * PART] + [SMALL] * SMALL_EACH * nics,
            gpu="N",
            nixl=nixl,
            backend_params={"stripe": "all"},
            op="READ",
            then="WRITE",
        ).require()
    row: dict[str, Any] = {"nics": nics, "boot_s": round(booted, 1)}
    for op in OPS:
        shares = [part * nics for part in outcome.of_op(op).require().share.values()]
        row[op] = {"counted": len(shares), "least": min(shares), "most": max(shares)}
    return row


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a line for each number of NICs, and write the result; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nixl", type=Path, required=True, help="folder of a patched NIXL")
    parser.add_argument("--nics", type=int, nargs="+", default=[16, 20, 32])
    parser.add_argument("--cache", type=Path, help="folder of the guests' kernel")
    parser.add_argument("--json", type=Path, help="result file to write")
    options = parser.parse_args(argv)
    origin, rows = Origin(), []
    for nics in options.nics:
        rows.append(measured(nics, options.nixl, options.cache))
        print(json.dumps(rows[-1]), flush=True)
        if options.json:  # each is minutes: what is there is kept
            made = {
                "machine": machine(),
                "versions": {"nixl_stripe": __version__},
                **origin.taken(),
                "rows": rows,
            }
            options.json.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
