# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Kills a run before each line of the code that changes files, one after another."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from nixl_stripe import scratch
from nixl_stripe.wheel import rights, steps

#: The modules that make, rename and remove files.
_ACTING = {rights.__file__, scratch.__file__, steps.__file__}
_MOST_LINES = 2000


def killed_before_line(number: int, run: Callable[[], object]) -> bool:
    """Run `run` in a process that dies by SIGKILL before that line; False when it ended first."""
    child = os.fork()
    if child == 0:
        try:
            _kill_at(number)
            run()
            sys.settrace(None)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def every_kill(make: Callable[[], Path], run: Callable[[Path], object]) -> Iterator[Path]:
    """Yield what `make` made, once for each line of `run` that a kill can come before."""
    for number in range(_MOST_LINES):
        made = make()
        if not killed_before_line(number, lambda made=made: run(made)):  # type: ignore[misc]
            return
        yield made
    raise AssertionError("the run has no end")


def _kill_at(number: int) -> None:
    left = number

    def each(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in _ACTING:
            return None
        if event == "line":
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return each

    sys.settrace(each)
