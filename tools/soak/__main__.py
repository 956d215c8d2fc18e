# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Stock NIXL and ours in turns on a bed, each process for some time: what grows, and how fast.

python -m soak --bed tcp --minutes 6 --json docs/results/soak-tcp.json
python -m soak --bed rdma --minutes 8 --resume --json docs/results/soak-rdma.json    # one more part
python -m soak --bed rdma --side ours ...    # a part of one side; stock is in another
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixl_stripe import __version__
from nixl_stripe.bench.provenance import Origin
from nixl_stripe.bench.runner import machine
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.job import Nixl, Role
from nixl_stripe.wheel import find_in, patch_folder
from nixl_stripe.wheel.installs import prepare

from soak.beds import BEDS, Ground
from soak.growth import faults, growth
from soak.parts import earlier, joined

WORKER = Path(__file__).with_name("worker.py")
SIDES: Mapping[str, Mapping[str, str]] = {
    "stock": {},
    "ours": {"stripe": "all", "stripe_small": "spread"},
    "ours, 64 rails": {"max_rma_rails": "64"},
}
#: Samples of a side that its row keeps.
_KEPT = 40


@dataclass(frozen=True)
class Sites:
    """Folders with a stock NIXL and the same one patched."""

    stock: Path
    ours: Path
    module: str
    name: str
    """As pip writes it."""

    @classmethod
    def of(cls, nixl: str, cache: Path) -> Sites:
        """Return those of a requirement, a wheel file, or a folder that NIXL was installed in."""
        if not Path(nixl).is_dir():
            made = prepare(cache, nixl, None, lambda text: print(text, flush=True))
            stock, ours = made.stock, made.patched
        else:
            stock, ours = Path(nixl).resolve(), cache / "patched"
            shutil.rmtree(ours, ignore_errors=True)
            shutil.copytree(stock, ours)
            for folder in find_in(ours):
                patch_folder(folder)
        found = find_in(stock)[0]
        if found.distribution is None:
            raise StripeError(f"--nixl {nixl}: no installed distribution, only its folders")
        module = found.distribution.replace("-", "_")
        return cls(stock, ours, module, f"{found.distribution}=={found.version}")


@dataclass(frozen=True)
class Length:
    """How long one side goes on: seconds, and cycles at least."""

    seconds: float
    least: int


def run_side(
    ground: Ground, side: str, sites: Sites, length: Length, *, worker: Path = WORKER
) -> dict[str, Any]:
    """Soak one side; return its row. worker: the program at the initiator's end."""
    site = sites.stock if side == "stock" else sites.ours
    job: dict[str, Any] = {"site": str(site), "module": sites.module, "params": dict(SIDES[side])}
    job |= {"seconds": length.seconds, "least": length.least, "requests": ground.requests}
    job["rude"] = ground.rude
    text = json.dumps({**job, "devices": ground.devices, "folder": str(ground.folder())})
    programs: dict[Role, list[str]] = {
        "initiator": [sys.executable, str(worker), "soak", text],
        "target": [sys.executable, str(WORKER), "peers", text],
    }
    nixl = Nixl((str(site),), sites.module)
    ended = ground.run(programs, nixl, 4 * length.seconds + 300)
    here, there = ended["initiator"], ended["target"]
    lines = [line for line in here.output.splitlines() if line.startswith('{"samples"')]
    if here.status != 0 or there.status != 0 or not lines:
        heard = f"{here.output[-2000:]}\nthe other end, {there.status}: {there.output[-2000:]}"
        raise StripeError(f"{side}: exit code {here.status}: {heard}")
    found = json.loads(lines[-1])
    samples = found["samples"]
    return {
        "side": side,
        **found,
        "growth": growth([samples]),
        "samples": samples[:: 1 + len(samples) // _KEPT],
    }


def shown(row: Mapping[str, Any]) -> str:
    """Return a row as one line of text."""
    total = sum(row["sent_bytes"]) or 1
    share = " ".join(f"{100 * each / total:.0f}" for each in row["sent_bytes"])
    return (
        f"{row['side']:16}{row['cycles']:>6} cycles {row['descriptors']:>9} descriptors, "
        f"growth a cycle {row['growth']}, to the other end by NIC {share} %"
    )


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bed", choices=BEDS, default="tcp")
    parser.add_argument("--nics", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=6, help="for all sides together")
    add = parser.add_argument
    add("--side", choices=SIDES, action="append", help="only this one, again for more [all]")
    parser.add_argument("--nixl", default="nixl-cu12==1.5.1", help="or a wheel, or a folder")
    parser.add_argument("--cache", type=Path, default=Path(".cache/soak"))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--resume", action="store_true", help="add a part to the FILE of --json")
    options = parser.parse_args(argv)
    if options.resume and options.json is None:
        parser.error("--resume: needs --json FILE, the file to add to")
    return options


def _part(options: argparse.Namespace, sites: Sites) -> list[dict[str, Any]]:
    """Soak each side once."""
    rows = []
    with BEDS[options.bed](options.nics) as ground:
        sides = options.side or ground.sides
        length = Length(options.minutes * 60 / len(sides), ground.least)
        for side in sides:
            rows.append(run_side(ground, side, sites, length))
            print(shown(rows[-1]), flush=True)
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Soak all sides; exit 1 when ours grows faster than stock."""
    options = _options(argv)
    asked = ["--bed", options.bed, "--nics", str(options.nics)]
    asked += ["--minutes", f"{options.minutes:g}", *["--resume"] * options.resume]
    asked += [f"--side={side}" for side in options.side or []]
    origin = Origin(["scripts/soak", *asked])
    try:
        sites = Sites.of(options.nixl, options.cache.resolve())
        document: dict[str, Any] = {"machine": machine(), "bed": options.bed, "nics": options.nics}
        document["versions"] = {"nixl": sites.name, "nixl-stripe": __version__}
        parts = earlier(options.json, document) if options.resume else []
        names = {row["side"] for part in parts for row in part["rows"]}
        if options.side and "stock" not in names.union(options.side):
            raise StripeError("--side: stock is needed too, in this part or in one before")
        rows = _part(options, sites)
    except StripeError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    taken = origin.taken()
    parts.append({**taken, "rows": rows})
    document = {**taken, **document, "rows": joined(parts), "parts": parts}
    if options.json is not None:
        options.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    if len(parts) > 1:
        print(f"{len(parts)} parts together", *map(shown, document["rows"]), sep="\n")
    found = faults(document["rows"])
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
