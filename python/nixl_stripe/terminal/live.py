# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Lines on a terminal that take the place of the ones before."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from nixl_stripe.terminal.screen import Screen

# ECMA-48 and DEC: no wrapping of long lines while lines are counted; up by n; clear to the end.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_UP, _CLEAR_BELOW = "\x1b[{}A", "\x1b[0J"


class Live:
    """Shows lines and then others in their place; use it in a `with` statement."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._height = 0

    def __enter__(self) -> Live:
        self._screen.stream.write(_NO_WRAP)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._screen.stream.write(_WRAP)
        self._screen.stream.flush()

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines now."""
        up = _UP.format(self._height) if self._height else ""
        self._height = len(lines)
        self._screen.stream.write(up + "\r" + _CLEAR_BELOW)
        self._screen.say("\n".join(lines))
