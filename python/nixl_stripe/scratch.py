# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Folders and files of one run, which go with the process that made them, however it ends.

A process that is killed cannot remove its files. So each folder holds a file that its process has
locked; the kernel opens the lock when the process ends, and whoever makes the next folder removes
those that nobody holds any more. A file that is written beside others is locked itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from io import BufferedRandom
from pathlib import Path
from typing import IO

_PREFIX = "nixl-stripe-"
_HELD = ".held"
_PARTIAL = ".partial"


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
    folder = held.parent.lstat()
    if not stat.S_ISDIR(folder.st_mode) or folder.st_uid != os.geteuid():
        return False
    return _nobody_holds(held)


def _nobody_holds(path: Path) -> bool:
    """Return whether it is a file of this user's that no process has locked."""
    file = path.lstat()
    if not stat.S_ISREG(file.st_mode) or file.st_uid != os.geteuid():
        return False
    lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


@contextlib.contextmanager
def partial(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a file beside `path` that takes its place at the end, as a whole, or goes.

    Yields where it is until then, and the open file. What a killed process left of such files in
    the folder is removed first.
    """
    for left in path.parent.glob(f".*{_PARTIAL}"):
        with contextlib.suppress(OSError):
            if _nobody_holds(left):
                left.unlink()
    file = _locked(path)
    draft = Path(file.name)
    try:
        with file:  # open, so locked, until it has its name
            yield draft, file
            draft.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()


def _locked(path: Path) -> BufferedRandom:
    """Make a partial file and lock it; before that it may be taken for one that was left."""
    while True:
        name = f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{_PARTIAL}"
        file = path.with_name(name).open("x+b")
        with contextlib.suppress(OSError):  # where nothing can be locked, nothing is removed
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()
