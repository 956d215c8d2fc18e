# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Builds libFuzzer's targets with clang and runs them, each with AddressSanitizer and UBSan."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "nixl_patch/tests/fuzz"
TARGETS = tuple(sorted(path.stem.removeprefix("fuzz_") for path in SOURCES.glob("fuzz_*.cpp")))
#: Real files that a target reads, beside its small corpus.
MORE = {"xml": ROOT / "tests/data/topologies"}
#: Those that read a whole machine from each input.
SLOW = ("parameters", "sysfs", "xml")
#: An input that hangs is found by this; far more than any needs, as the machine may be busy.
HANG_SECONDS = 25
_UNITS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_SLOWEST = re.compile(r"^stat::slowest_unit_time_sec:\s*(\d+)", re.MULTILINE)


def build(folder: Path) -> None:
    """Build all targets in `folder`; CalledProcessError with the compiler's message shown."""
    environment = {**os.environ, "CXX": "clang++"}
    if not (folder / "build.ninja").is_file():
        options = [
            "-Dpython=false",
            "-Dfuzz=true",
            "-Dwerror=true",
            "-Db_sanitize=address,undefined",
            "-Db_lundef=false",
            "-Doptimization=1",
            "-Dcpp_args=-fsanitize=fuzzer-no-link",
        ]
        command = ["meson", "setup", str(folder), str(ROOT), *options]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    command = ["ninja", "-C", str(folder), "--quiet", "fuzz_targets"]
    subprocess.run(command, check=True, env=environment)


def rows(
    folder: Path, seconds: int, processes: int, only: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Run all targets, or only some, so many processes at a time; return a row for each.

    Processes beyond one for each target go to the slow ones, all with seeds of their own.
    """
    names = [name for name in TARGETS if name in only] if only else list(TARGETS)
    slow = [name for name in SLOW if name in names]
    more = max(0, processes - len(names)) // max(1, len(slow))
    jobs = [(name, seed) for name in names for seed in range(1, 2 + more * (name in slow))]
    with ThreadPoolExecutor(processes) as pool:
        ended = list(pool.map(lambda job: run(job[0], folder, seconds, job[1]), jobs))
    return [_together([row for row in ended if row["reader"] == name]) for name in names]


def _together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a target whose processes have these."""
    return {
        **parts[0],
        "tries": sum(row["tries"] for row in parts),
        "seeds": len(parts),
        "slowest_s": max(row["slowest_s"] for row in parts),
        "finding": next((row["finding"] for row in parts if row["finding"]), ""),
    }


def run(target: str, folder: Path, seconds: int, seed: int = 0) -> dict[str, Any]:
    """Run one process of a target for so long; return its row.

    What it found is in `finding` as text. seed: 0 for one of libFuzzer's choice.
    """
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-fuzz-") as scratch:
        found = Path(scratch) / "corpus"
        found.mkdir()
        command = [
            str(folder / f"nixl_patch/tests/fuzz/fuzz_{target}"),
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-timeout={HANG_SECONDS}",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            f"-artifact_prefix={scratch}/",
            str(found),
            str(SOURCES / "corpus" / target),
            *([str(MORE[target])] if target in MORE else []),
        ]
        environment = {**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace",
                               env=environment)  # fmt: skip
    units = _UNITS.search(ended.stderr)
    slowest = _SLOWEST.search(ended.stderr)
    return {
        "part": "plugin",
        "reader": target,
        "tries": int(units[1]) if units else 0,
        "seconds": seconds,
        "slowest_s": int(slowest[1]) if slowest else 0,
        "finding": "" if ended.returncode == 0 and units else ended.stderr[-4000:],
    }
