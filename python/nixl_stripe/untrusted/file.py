# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files of others: never waited for, and never more of them read than a limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from nixl_stripe.untrusted.schema import RefusedError

_PART = 1 << 20


def open_file(path: Path, flags: int = 0) -> BinaryIO:
    """Open a regular file for reading; RefusedError for another kind, OSError where it cannot be.

    A pipe would be waited for and a device may have no end. flags: more of `os.open`; links are
    followed without O_NOFOLLOW.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise RefusedError("no regular file")
    return os.fdopen(file, "rb")


def read_up_to(stream: BinaryIO, limit: int) -> bytes:
    """Return what is left of `stream`, `limit` bytes at most.

    Takes memory for what there is: `read(limit)` of a file takes it for `limit` bytes first.
    """
    parts: list[bytes] = []
    while limit > 0 and (part := stream.read(min(limit, _PART))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def read_file(path: Path, limit: int) -> bytes:
    """Return what a regular file holds; RefusedError for more than `limit` bytes. See open_file."""
    with open_file(path) as stream:
        data = read_up_to(stream, limit + 1)
    if len(data) > limit:
        raise RefusedError(f"more than {limit} bytes")
    return data
