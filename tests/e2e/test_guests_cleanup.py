# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing of a bed of guests stays behind, however the program that made it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from guest_beds import CACHE, ready_or_skip
from nixl_stripe.lab.guests import GuestError, Guests

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

PROGRAM = """
import sys, time
from pathlib import Path
from nixl_stripe.lab.guests import Guests
with Guests(1, numa_nodes=1, cache=Path(sys.argv[1]), boot_limit_s=180) as bed:
    print(bed.folder, flush=True)
    time.sleep(100)
"""


def guests_of(folder: str) -> list[str]:
    """Return the processes that have the bed's folder in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if folder.encode() in line:
            found.append(process.name)
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(how: signal.Signals) -> None:
    ready_or_skip()
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(CACHE)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    folder = program.stdout.readline().decode().strip()
    assert Path(folder, "share").is_dir()
    assert len(guests_of(folder)) == 3  # two guests and their keeper
    program.send_signal(how)
    program.communicate(timeout=60)
    end = time.monotonic() + 30
    while (Path(folder).exists() or guests_of(folder)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(folder).exists()
    assert guests_of(folder) == []


def test_guest_that_cannot_start_is_an_error_and_leaves_nothing() -> None:
    ready_or_skip()
    temporary = Path(tempfile.gettempdir())
    before = set(temporary.glob("nixl-stripe-guests-*"))
    with pytest.raises(GuestError, match=r"initiator|target"):
        Guests(1, numa_nodes=1, cache=CACHE, boot_limit_s=0.5)
    assert set(temporary.glob("nixl-stripe-guests-*")) <= before
