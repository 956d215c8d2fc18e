# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tries our plugin in every published line of NIXL, and writes down what happened.

A line is a minor version of a flavour; its newest release is what is tried. Each must load our
plugin, apply max_rma_rails=4 and read 4 back from UCX, and refuse a bad value with a ValueError.
The newest five of each flavour also move a payload over four TCP rails, stock and patched.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from nixl_agents import run_agents  # noqa: E402
from nixl_stripe import __version__  # noqa: E402
from nixl_stripe.bench.provenance import Origin  # noqa: E402
from nixl_stripe.lab import Rails, fake_cuda  # noqa: E402
from nixl_stripe.wheel import find_in, patch_folder  # noqa: E402
from nixl_wheels import (  # noqa: E402
    cache_dir,
    environment,
    module_name,
    torch_stand_in,
    unpack,
    wheel_file,
)

import docs  # noqa: E402

FLAVOURS = ("nixl-cu12", "nixl-cu13")
RAILS, MBIT, WITH_RAILS = 4, 200, 5
_UCX_VERSION = """
import ctypes, sys
numbers = [ctypes.c_uint() for _ in range(3)]
ctypes.CDLL(sys.argv[1]).ucp_get_version(*map(ctypes.byref, numbers))
print(".".join(str(number.value) for number in numbers))
"""
_REFUSED = "max_rma_rails='65': accepted"


def published(distribution: str) -> list[str]:
    """Return the versions that the user's package index offers, newest first."""
    command = [sys.executable, "-m", "pip", "index", "versions", distribution]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Available versions: (.*)", done.stdout)
    if found is None:
        raise SystemExit(f"version-matrix: pip index versions {distribution}: {done.stderr}")
    return sorted((word.strip() for word in found[1].split(",")), key=Version, reverse=True)


def lines(versions: Sequence[str]) -> list[str]:
    """Return the newest version of every minor line, newest first."""
    newest: dict[tuple[int, int], str] = {}
    for version in sorted(versions, key=Version):
        newest[Version(version).major, Version(version).minor] = version
    return sorted(newest.values(), key=Version, reverse=True)


def try_version(name: str, version: str, scratch: Path, with_rails: bool) -> dict[str, Any]:
    """Return what one NIXL did, stock beside patched."""
    wheel = wheel_file(name, version)
    stock = unpack(wheel, scratch / "stock")
    site = unpack(wheel, scratch / "patched")
    for folder in find_in(site):
        patch_folder(folder)
    torch = torch_stand_in(scratch / "torch")
    # Up to 0.9 the plugin needs libcuda.so.1; a driver without a GPU does.
    cuda = str(fake_cuda.build(cache_dir().parent)) if Version(version) < Version("0.10") else ""
    steps = [{}, {"max_rma_rails": "4"}, {"max_rma_rails": "65"}, {"max_rma_rails": "3"}]
    before = run_agents(stock, name, [{}], torch=torch, LD_LIBRARY_PATH=cuda)
    after = run_agents(site, name, steps, torch=torch, LD_LIBRARY_PATH=cuda)
    refusal = after.steps[2].error
    row: dict[str, Any] = {
        "nixl": name,
        "version": version,
        "ucx": ucx_version(site, name),
        "stock_loads": before.steps[0].error is None and "max_rma_rails" not in before.advertised,
        "loads": "max_rma_rails" in after.advertised and after.steps[0].error is None,
        "applied": after.applied,
        "refuses": refusal is not None and refusal[0] == "ValueError" and _REFUSED in refusal[1],
    }
    if with_rails:
        row["rails"] = {
            which: rails_used(path, name, torch, params)
            for which, path, params in (
                ("stock", stock, {}),
                ("patched", site, {"max_rma_rails": str(RAILS)}),
            )
        }
    return row


def ucx_version(site: Path, name: str) -> str:
    """Return the version of the UCX in a wheel, as the library itself says it."""
    (library,) = (site / f"{module_name(name)}.libs").glob("libucp-*.so*")
    done = subprocess.run(
        [sys.executable, "-c", _UCX_VERSION, str(library)],
        env=environment(UCX_MODULES="^ib"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def rails_used(nixl: Path, name: str, torch: Path, params: dict[str, str]) -> int:
    """Return how many of four rails carried a WRITE whose every byte was compared."""
    with Rails(RAILS, MBIT) as bed:
        outcome = bed.transfer(
            sizes=[8 << 20, 777], nixl=[nixl, torch, module_name(name)], backend_params=params
        )
    return outcome.require().rails_used


def failures(row: dict[str, Any]) -> list[str]:
    """Return what a row shows that must not be, in words."""
    wrong = [key for key in ("stock_loads", "loads", "refuses") if not row[key]]
    if row["applied"] != ["MAX_RMA_RAILS 4", "MAX_RMA_RAILS 3"]:
        wrong.append(f"applied {row['applied']}")
    rails = row.get("rails")
    if rails is not None and rails["patched"] < rails["stock"] + 2:
        wrong.append(f"rails {rails}")
    return wrong


def run(say: Callable[[str], None]) -> dict[str, Any]:
    """Try every line of every flavour; return the whole result."""
    origin = Origin(["scripts/version-matrix"])
    rows, offered = [], {}
    for name in FLAVOURS:
        offered[name] = published(name)
        for number, version in enumerate(lines(offered[name])):
            with tempfile.TemporaryDirectory(prefix="nixl-stripe-matrix-") as scratch:
                row = try_version(name, version, Path(scratch), number < WITH_RAILS)
            wrong = failures(row)
            say(f"{name} {version}: {'; '.join(wrong) if wrong else 'good'}")
            rows.append(row)
    return {
        **origin.taken(),
        "machine": platform.machine(),
        "versions": {"nixl_stripe": __version__},
        "rails": RAILS,
        "published": offered,
        "rows": rows,
    }


def main() -> None:
    """Try every line, write the JSON and the documents; exit 1 when any NIXL failed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="scripts/version-matrix")
    parser.add_argument("--json", type=Path, default=ROOT / "docs/results/versions.json")
    options = parser.parse_args()
    result = run(lambda text: print(f"==> {text}", file=sys.stderr, flush=True))
    options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    docs.main([])
    wrong = [row for row in result["rows"] if failures(row)]
    print(f"{len(result['rows']) - len(wrong)} of {len(result['rows'])} are good")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
