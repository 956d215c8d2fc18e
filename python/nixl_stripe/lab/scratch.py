# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Folders for files of one run, which go with the process that made them, however it ends.

A process that is killed cannot remove its folder. So each folder holds a file that its process has
locked; the kernel opens the lock when the process ends, and whoever makes the next folder removes
those that nobody holds any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

_PREFIX = "nixl-stripe-"
_HELD = ".held"


class Scratch:
    """A folder `nixl-stripe-<what>-...` among the temporary ones; `path`. Removed by `close`."""

    def __init__(self, what: str) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{what}-"))
        draft = self.path / f"{_HELD}.tmp"
        self._held = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        draft.rename(self.path / _HELD)  # only now can another process see it, locked

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def folder(self) -> Path:
        """Return a fresh folder within."""
        return Path(tempfile.mkdtemp(dir=self.path))

    def close(self) -> None:
        """Remove it; harmless when it is gone."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


def sweep() -> list[Path]:
    """Remove the folders whose processes have ended, and return them."""
    removed = []
    for held in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_HELD}"):
        with contextlib.suppress(OSError):
            if _abandoned(held):
                shutil.rmtree(held.parent, ignore_errors=True)
                removed.append(held.parent)
    return removed


def _abandoned(held: Path) -> bool:
    """Return whether nobody holds it; only real folders of this user's own are looked at."""
    folder, file = held.parent.lstat(), held.lstat()
    if not (stat.S_ISDIR(folder.st_mode) and stat.S_ISREG(file.st_mode)):
        return False
    if {folder.st_uid, file.st_uid} != {os.geteuid()}:
        return False
    lock = os.open(held, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
