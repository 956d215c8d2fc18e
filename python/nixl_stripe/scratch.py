# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Folders and files of one run, which go with the process that made them, however it ends.

A process that is killed cannot remove its files. So each folder holds a file that its process has
locked; the kernel opens the lock when the process ends, and whoever makes the next folder removes
those that nobody holds any more. That file comes first and goes last, and a folder that does not
have it yet, or no more, says so by its name: a kill at any time leaves nothing that is not found. A
file that is written beside others is locked itself. What is removed is locked meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
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
#: Ends the name of a folder without _HELD: it is being made or removed, and has nothing else in it.
_EMPTY = ".empty"
_PARTIAL = ".partial"
_OUR_PARTIAL = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.partial", re.DOTALL)


class Scratch:
    """A folder `nixl-stripe-<what>-...` among the temporary ones; `path`. Removed by `close`."""

    def __init__(self, what: str) -> None:
        sweep()
        held = None
        while held is None:  # until no sweep has taken it for one that was left
            draft = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{what}-", suffix=_EMPTY))
            held = _hold(draft / _HELD)
        self._held = held
        self.path = draft.rename(draft.with_name(draft.name.removesuffix(_EMPTY)))

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def folder(self) -> Path:
        """Return a fresh folder within."""
        return Path(tempfile.mkdtemp(dir=self.path))

    def close(self) -> None:
        """Remove it; harmless when it is gone."""
        if self._held >= 0:
            _remove(self.path)
            os.close(self._held)
            self._held = -1


def sweep() -> list[Path]:
    """Remove the folders whose processes have ended, and return them."""
    removed = []
    temporary = Path(tempfile.gettempdir())
    for held in temporary.glob(f"{_PREFIX}*/{_HELD}"):
        with contextlib.suppress(OSError):
            if _is_own_folder(held.parent) and _remove_unheld(held):
                removed.append(held.parent)
    for folder in temporary.glob(f"{_PREFIX}*{_EMPTY}"):
        with contextlib.suppress(OSError):
            if _is_own_folder(folder):
                folder.rmdir()
                removed.append(folder)
    return removed


def _hold(path: Path) -> int | None:
    """Make the file and lock it; None where a sweep was quicker and has removed it."""
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    fcntl.flock(held, fcntl.LOCK_EX)
    if os.fstat(held).st_nlink:
        return held
    os.close(held)
    return None


def _remove(folder: Path) -> bool:
    """Remove it, _HELD last; what cannot be removed keeps it, so that the next sweep tries again.

    Returns whether it is gone.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            if path.name == _HELD:
                continue
            shutil.rmtree(path, ignore_errors=True)  # does nothing where it is no folder
            with contextlib.suppress(OSError):
                path.unlink()
        if [path.name for path in folder.iterdir()] == [_HELD]:
            if not folder.name.endswith(_EMPTY):
                folder = folder.rename(folder.with_name(folder.name + _EMPTY))
            (folder / _HELD).unlink()
            folder.rmdir()
    return not folder.exists()


def _remove_unheld(held: Path) -> bool:
    with _unheld(held) as is_free:
        return is_free and _remove(held.parent)


def _is_own_folder(path: Path) -> bool:
    """Return whether it is a real folder of this user's."""
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


@contextlib.contextmanager
def _unheld(path: Path) -> Iterator[bool]:
    """Yield whether it is a file of this user's that no process has locked; it is locked then."""
    file = path.lstat()
    if not stat.S_ISREG(file.st_mode) or file.st_uid != os.geteuid():
        yield False
        return
    lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield _locks(lock) and os.fstat(lock).st_nlink > 0
    finally:
        os.close(lock)


def _locks(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def partial(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a file beside `path` that takes its place at the end, as a whole, or goes.

    Yields where it is until then, and the open file. What a killed process left of such files in
    the folder is removed first.
    """
    for left in path.parent.glob(f".*{_PARTIAL}"):
        if _OUR_PARTIAL.fullmatch(left.name):
            with contextlib.suppress(OSError), _unheld(left) as is_free:
                if is_free:  # and locked, so that nobody takes it for theirs meanwhile
                    left.unlink()
    file = _locked(path)
    draft = Path(file.name)
    try:
        with file:  # open, so locked, until it has its name
            yield draft, file
            file.flush()  # what has the name is whole
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
