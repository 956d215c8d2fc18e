# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How a command that has started others ends when it is told to."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from nixl_stripe.cli.command import Exit
from nixl_stripe.terminal import echo


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """End cleanly on Ctrl-C and on SIGTERM: beds, workers and files go before the process does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        echo("nixl-stripe: interrupted; everything that was started is gone", err=True)
        raise Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)
