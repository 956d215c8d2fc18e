# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's options. As a program: looks at them and does nothing else.

It needs the standard library alone: scripts/demo refuses what is wrong before it compiles anything.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

_NIXL = "nixl-cu12==1.5.1"
#: What scripts/demo says for the user, who need not know it.
LEAVE = "--leave-patched"


def parse(argv: Sequence[str] | None, cache: Path | None = None) -> argparse.Namespace:
    """Return the options; ends the program, with status 2, for what is not accepted.

    argv: sys.argv where it is None. cache: where downloads go unless the user says.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Compares one rail, stock NIXL and the patched one over rate-limited rails.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--nics", "--rails", type=int, default=4, metavar="N", help="2..64 (default: 4)")
    add("--mbit", type=float, default=800, help="Mbit/s of each rail (default: 800)")
    add("--repeats", "--reps", type=int, metavar="N", help="each in fresh processes (default: 5)")
    add("--quick", action="store_true", help="one round of small transfers")
    add("--json", type=Path, metavar="FILE", help="write the results here")
    add("--png", type=Path, metavar="FILE", help="draw the results here (needs matplotlib)")
    add("--nixl", default=_NIXL, help=f"what pip downloads, or a wheel file (default: {_NIXL})")
    add("--patched-wheel", type=Path, metavar="FILE", help="use this instead of building one")
    add("--no-namespaces", action="store_true", help="only what can be shown over loopback")
    add("--cache", type=Path, metavar="DIR", help="for downloads (default: bench's, ~/.cache/...)")
    add(LEAVE, action="store_true", help="leave a patched NIXL for this Python (scripts/demo)")
    options = parser.parse_args(argv)
    if not 2 <= options.nics <= 64:
        parser.error(f"--nics {options.nics}: accepted are 2..64")
    if not options.mbit > 0:
        parser.error(f"--mbit {options.mbit:g}: accepted are rates above 0 Mbit/s")
    if options.repeats is not None and options.repeats < 1:
        parser.error(f"--repeats {options.repeats}: accepted are 1 and more")
    options.cache = options.cache or cache
    return options


if __name__ == "__main__":
    parse(None)
