# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The process that owns the guests: when its standard input ends, they and their folder are gone.

    python -I -S keeper.py FOLDER < command lines, one JSON array each

It stands between a bed and QEMU, so that whatever becomes of the bed's process (an exception,
Ctrl-C, even SIGKILL), nothing stays behind: the input ends with that process. QEMU in turn dies
with the keeper (`setpriv --pdeathsig`). A guest that ends by itself is reported on standard output.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path


def start(commands: list[list[str]], folder: Path) -> dict[int, subprocess.Popen[bytes]]:
    """Start QEMU processes that die with this one; return them by a descriptor to wait on."""
    guests: dict[int, subprocess.Popen[bytes]] = {}
    for index, command in enumerate(commands):
        with (folder / f"qemu{index}.log").open("wb") as log:
            guest = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        guests[os.pidfd_open(guest.pid)] = guest
    return guests


def keep(folder: Path) -> None:
    """Read the command lines up to an empty one, run them, and wait for the end of the input."""
    commands = [json.loads(line) for line in iter(sys.stdin.readline, "\n") if line]
    guests = start(commands, folder)
    waiting = set(guests)
    try:
        while True:
            ready, _, _ = select.select([0, *waiting], [], [])
            if 0 in ready:
                return
            for handle in ready:
                waiting.discard(handle)
                index = list(guests).index(handle)
                print(json.dumps({"ended": index, "status": guests[handle].wait()}), flush=True)
    finally:
        for guest in guests.values():
            with contextlib.suppress(ProcessLookupError):
                guest.kill()
            guest.wait()


def main(argv: list[str]) -> int:
    """Keep guests until standard input ends, then remove the folder."""
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)  # the bed's process decides
    folder = Path(argv[0])
    try:
        keep(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
