# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the readers of tests/fuzz in slices: slow ones get the time that quick ones leave."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: Seconds and inputs of one process, which has a seed of its own.
_SLICE_S, _SLICE_TRIES = 20, 50_000


@dataclass
class Progress:
    """What a reader was given so far. slices: started, so also the next one's seed."""

    name: str
    slices: int = 0
    begun: int = 0
    tries: int = 0
    finding: str = ""


def names() -> list[str]:
    """Return all readers."""
    from fuzz.readers import READERS

    return list(READERS)


def rows(readers: Sequence[str], seconds: int, tries: int, processes: int) -> list[dict[str, Any]]:
    """Run the readers until each has had `tries` inputs, or their time together is over.

    seconds: of a process, for each reader; what one does not need others get.
    """
    table = [Progress(name) for name in readers]
    end = time.monotonic() + seconds * len(table) / processes
    longest = min(_SLICE_S, max(1.0, seconds / 2))
    lock = threading.Lock()

    def work(_: int) -> None:
        while True:
            left = end - time.monotonic()
            with lock:
                open_ones = [each for each in table if each.begun < tries and not each.finding]
                if left <= 0:  # each has its turn, though starting processes may take all the time
                    open_ones = [each for each in open_ones if not each.slices]
                if not open_ones:
                    return
                reader = min(open_ones, key=lambda each: each.slices)
                seed, count = reader.slices, min(_SLICE_TRIES, tries - reader.begun)
                reader.slices += 1
                reader.begun += count
            done, finding = _slice(reader.name, seed, count, min(max(left, 1.0), longest))
            with lock:
                reader.tries += done
                reader.begun -= count - done
                reader.finding = reader.finding or finding

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(work, range(processes)))
    return [
        {
            "part": "Python",
            "reader": each.name,
            "tries": each.tries,
            "seeds": each.slices,
            "finding": each.finding,
        }
        for each in table
    ]


def _slice(name: str, seed: int, tries: int, seconds: float) -> tuple[int, str]:
    """Run one process; return its number of inputs and what it found."""
    command = [sys.executable, str(ROOT / "tests/fuzz/readers.py"), "--reader", name]
    command += ["--seconds", str(seconds), "--tries", str(tries), "--seed", str(seed)]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if ended.returncode != 0:
        return 0, ended.stderr[-4000:] or f"exit code {ended.returncode}"
    return json.loads(ended.stdout)["tries"], ""
