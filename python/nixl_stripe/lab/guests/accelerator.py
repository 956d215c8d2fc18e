# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Whether hardware virtualisation really works here, found out by using it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from nixl_stripe.lab.guests.assets import Assets
from nixl_stripe.lab.guests.qemu import Accelerator

KVM = Path("/dev/kvm")
PROBE_LIMIT_S = 10.0


def choose(assets: Assets) -> Accelerator:
    """Return `kvm` when a guest gets to its first program with it, else `tcg` (emulation).

    In a virtual machine `/dev/kvm` may open and guests still not run, so only a real start tells.
    The answer is kept beside the kernel until the next boot of the host.
    """
    if not os.access(KVM, os.R_OK | os.W_OK):
        return "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    note = assets.kernel.with_name(f"kvm-{boot}")
    if not note.exists():
        for old in note.parent.glob("kvm-*"):
            old.unlink(missing_ok=True)
        note.write_text("works" if _kvm_runs(assets) else "fails")
    return "kvm" if note.read_text() == "works" else "tcg"


def _kvm_runs(assets: Assets) -> bool:
    command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "kvm", "-cpu", "host"]
    command += ["-m", "256", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    command += ["-serial", "stdio", "-kernel", str(assets.kernel), "-initrd", str(assets.initrd)]
    command += ["-append", "console=ttyS0 panic=-1 quiet guest.probe"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return b"init: alive" in done.stdout
