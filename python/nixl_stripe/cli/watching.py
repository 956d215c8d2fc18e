# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What `top` and `export` share: how long they go on, and how they end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

from nixl_stripe.cli.command import Exit
from nixl_stripe.cli.streams import give_up
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.terminal import echo

#: The longest pause between two looks, a day, and the longest time of all, three years.
_LONGEST_INTERVAL_S, _LONGEST_S = 86_400, 100_000_000
#: 128 and the signal's number, as a shell says it.
_TERMINATED = 128 + signal.SIGTERM


def check_times(interval: float, duration: float | None) -> None:
    """UsageError for an --interval or a --for that is no time (NaN is below and above nothing)."""
    if not 0.1 <= interval <= _LONGEST_INTERVAL_S:
        raise UsageError(
            f"--interval {interval:g}: accepted are 0.1 to {_LONGEST_INTERVAL_S} seconds"
        )
    if duration is not None and not 0 < duration <= _LONGEST_S:
        raise UsageError(
            f"--for {duration:g}: accepted are times above 0 seconds, {_LONGEST_S} at most"
        )


@contextlib.contextmanager
def term_as_interrupt() -> Iterator[None]:
    """Let SIGTERM do in the block what Ctrl-C does, and end with its own exit code behind it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ended: list[int] = []

    def stop(number: int, _: object) -> None:
        ended.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
    if ended:
        raise Exit(_TERMINATED)


def say(text: str) -> None:
    """Print a line now; StripeError where standard output takes none (a full disk)."""
    try:
        echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up()
        raise StripeError(f"standard output: {error.strerror}") from error
