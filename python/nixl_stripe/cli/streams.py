# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Standard streams as the command finds them: closed, full, or of another character set.

It imports nothing that takes time, for Ctrl-C may come while the rest is imported.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys

#: 128 and the signal's number, as a shell says it.
EXIT_INTERRUPTED = 130
_HIGHEST = 2


def make_usable() -> None:
    """Have standard input, output and error there, and take any character.

    A descriptor that was closed would be given to the next file that is opened, and what a library
    or a child writes on its standard error would go into that file.
    """
    while (file := os.open(os.devnull, os.O_RDWR)) <= _HIGHEST:
        os.set_inheritable(file, True)
    os.close(file)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False))
        elif isinstance(stream, io.TextIOWrapper) and "utf" not in stream.encoding.lower():
            stream.reconfigure(errors="backslashreplace")


def give_up() -> None:
    """Let what was not written of standard output go: Python flushes once more at its end."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: no descriptor behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
