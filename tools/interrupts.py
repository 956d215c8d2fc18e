# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the programs that README names, said as the command itself says it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from nixl_stripe.cli.streams import EXIT_INTERRUPTED


def interruptible(name: str, work: Callable[[], int]) -> int:
    """Return the exit code of `work`, whose `with` statements clean up on Ctrl-C too."""
    try:
        return work()
    except KeyboardInterrupt:
        print(f"{name}: interrupted; everything that was started is gone", file=sys.stderr)
        return EXIT_INTERRUPTED
