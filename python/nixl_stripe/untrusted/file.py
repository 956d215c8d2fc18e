# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files of others: never waited for, and never more of them read than a limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nixl_stripe.untrusted.schema import RefusedError


def read_file(path: Path, limit: int) -> bytes:
    """Return what a regular file holds; RefusedError for another kind or more than `limit` bytes.

    A pipe would be waited for and a device may have no end; links are followed. OSError where it
    cannot be read.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise RefusedError("no regular file")
        with open(file, "rb", closefd=False) as stream:
            data = stream.read(limit + 1)
    finally:
        os.close(file)
    if len(data) > limit:
        raise RefusedError(f"more than {limit} bytes")
    return data
