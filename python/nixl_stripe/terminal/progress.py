# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What happens now: one line that changes on a terminal, a line each elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

from nixl_stripe.terminal.screen import Screen
from nixl_stripe.untrusted import one_line

Say = Callable[[str], None]

_CLEAR = "\r\x1b[2K"


@contextlib.contextmanager
def progress(prefix: str = "", stream: TextIO | None = None) -> Iterator[Say]:
    """Yield what tells of the next step, on standard error unless another stream is given.

    The line on a terminal is gone at the end. prefix: before each line elsewhere.
    """
    screen = Screen(sys.stderr if stream is None else stream)
    if not screen.is_live:
        yield lambda text: screen.say(f"{prefix}{text}")
        return
    room = (screen.width or 80) - 1

    def show(text: str) -> None:
        screen.stream.write(f"{_CLEAR}{one_line(text.splitlines()[0], room) if text else ''}")
        screen.stream.flush()

    try:
        yield show
    finally:
        show("")
