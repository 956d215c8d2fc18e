# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo leaves behind: a patched NIXL for this Python, and the commands to go on with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import find_installed, patch_folder

#: Commands of README, with what makes them short: the program's name, and all behind it.
NEXT = (
    ("nixl-stripe", "verify --bed tcp", "was every NIC used? exit code 1 and the cause if not"),
    ("python", "examples/python/on_rails.py", "the program that README shows, both its ends"),
    ("nixl-stripe", "bench rails --rounds 1 --repeats 3", "the rate against the number of NICs"),
)


def leave_patched(stock: Path, say: Callable[[str], None]) -> None:
    """Patch the NIXL of this Python; install the wheel `stock` first where there is none.

    A NIXL that is there already is kept in its version.
    Raises StripeError, with pip's words, where it cannot be installed.
    """
    if not find_installed():
        say(f"installing {stock.name} for {sys.executable}")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        command += ["--disable-pip-version-check", str(stock)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StripeError(f"pip cannot install {stock.name}: {done.stderr.strip()}")
    for folder in find_installed():
        outcome = patch_folder(folder)
        say(f"{folder.label}: {outcome.after.state.value}")


def next_text(python: Path = Path(sys.executable)) -> str:
    """Return what to try now, each line as it is to be typed where the user stands."""
    folder = python.parent
    if folder.is_relative_to(Path.cwd()):
        folder = folder.relative_to(Path.cwd())
    root = Path(__file__).resolve().parents[2]
    commands = []
    for program, rest, why in NEXT:
        place = os.path.relpath(root / rest) if rest.startswith("examples/") else rest
        commands.append((f"{folder / program} {place}", why))
    width = max(len(command) for command, _ in commands)
    lines = [f"  {command:{width}}   # {why}" for command, why in commands]
    undo = f"{folder / 'nixl-stripe'} patch --undo"
    return "\n".join(["Now try:", *lines, f"NIXL is patched in {folder.parent}; undo: {undo}"])
