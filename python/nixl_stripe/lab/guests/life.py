# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Beginning and end of two guests: their keeper is started, and everything of theirs goes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nixl_stripe.lab.guests import keeper, qemu
from nixl_stripe.lab.guests.control import ControlPort, GuestError, Monitor
from nixl_stripe.lab.job import Role

#: Seconds that a guest may take to stop.
STOP_LIMIT_S = 10.0
#: A guest's clock may show this many times what really passed.
_FAST = 1.2


def start_keeper(folder: Path, plans: Sequence[qemu.GuestPlan]) -> subprocess.Popen[bytes]:
    """Start the process that owns the guests (see `keeper`) and hand it QEMU's command lines."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    lines = [json.dumps(["qemu-system-x86_64", *qemu.arguments(plan)]) for plan in plans]
    if process.stdin is None:
        raise GuestError("the keeper has no input")
    process.stdin.write(("\n".join(lines) + "\n\n").encode())
    process.stdin.flush()
    return process


def stop(
    process: subprocess.Popen[bytes],
    folder: Path,
    ports: Mapping[Role, ControlPort],
    monitors: Mapping[Role, Monitor],
) -> None:
    """End the keeper, and with it both guests; remove their folder, close what leads to them."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)  # the keeper has done it unless it was killed
    for port in ports.values():
        port.close()
    for monitor in monitors.values():
        monitor.close()


def fast_clocks(machines: Mapping[Role, Mapping[str, Any]], boot_s: float) -> str:
    """Name the guests that have been up for longer than it took to boot them; "" for none.

    A kernel that is held up while it measures its processor's clock (seen on a busy host: by a
    factor of three) has all its time-outs too early from then on.
    """
    fast = {
        role: machine["uptime_s"] / boot_s
        for role, machine in machines.items()
        if machine["uptime_s"] > _FAST * boot_s
    }
    return ", ".join(
        f"guest {role}: its clock runs {n:.1f} times too fast" for role, n in fast.items()
    )
