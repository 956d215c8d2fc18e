# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Where a new RECORD is written before it is in force, so that no uninstall leaves it behind.

Every other file is listed in RECORD before it is made. The new RECORD itself cannot be; so it has a
name that uninstallers take along by a rule of their own:

- pip removes, for each `x.py` that RECORD lists, an `x.pyo` beside it (`uninstallation_paths` in
  pip's `req_uninstall.py`). No Python since 3.5 reads or writes one (PEP 488).
- uv removes `__pycache__` from each folder that it takes a file out of (`uninstall_wheel`).

Not beside RECORD: pip takes a .dist-info with a stray file in it for a broken installation.
"""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from nixl_stripe.untrusted import RefusedError, read_file
from nixl_stripe.wheel.layout import TEMPORARY
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.record import Record

_NEW_RECORD = TEMPORARY[1]
#: A file of ours starts like RECORD, as far as it was written.
_HEAD = 64
#: Until something is written into it, it is nobody else's to read; what Python made was never so.
_UNWRITTEN = 0o600
#: Modules that RECORD lists and that are looked at for a place; NIXL's own lists some dozen.
_MOST_MODULES = 1000
#: Bytes of INSTALLER, which holds a name.
_LONGEST_INSTALLER = 256


def new_record_path(folder: PluginFolder, record: Record) -> Path:
    """Return the path to write the next RECORD of `folder` to; `record` is the one in force."""
    for path in _places(folder, record):
        if not _exists(path) or _is_ours(path, record):
            return path
    # Not NIXL's RECORD: it lists no Python at all. An uninstall after a kill leaves this one file.
    return folder.path / _NEW_RECORD


def abandoned_records(folder: PluginFolder, record: Record | None) -> tuple[Path, ...]:
    """Return the RECORDs that killed runs have left half-written.

    A run writes to the first place that is free: behind that one there are none.
    """
    if record is None:
        return ()
    taken = itertools.takewhile(_exists, _places(folder, record))
    return tuple(path for path in taken if _is_ours(path, record))


def _places(folder: PluginFolder, record: Record) -> Iterator[Path]:
    if folder.record is None:
        return
    site = folder.record.parents[1]
    by_uv = _installer(folder.record) == "uv"
    is_inside = cache(lambda above: _is_inside(above, site))
    done = set()
    for listed in itertools.islice(_modules(record), _MOST_MODULES):
        source = site / listed
        in_cache = source.parent / "__pycache__" / _NEW_RECORD
        place = in_cache if by_uv else source.with_suffix(".pyo")
        if place in done or not is_inside(source.parent):
            continue
        if source.is_file() and not source.is_symlink() and not place.parent.is_symlink():
            done.add(place)
            yield place


def _modules(record: Record) -> Iterator[PurePosixPath]:
    """Yield each Python file that RECORD lists inside the site, once."""
    for name in dict.fromkeys(record.paths()):
        listed = PurePosixPath(name if name.endswith(".py") else "")
        if listed.suffix == ".py" and not listed.is_absolute() and ".." not in listed.parts:
            yield listed


def _installer(record: Path) -> str:
    try:
        text = read_file(record.parent / "INSTALLER", _LONGEST_INSTALLER)
    except (OSError, RefusedError):
        return ""
    return text.decode("utf-8", "replace").strip()


def _is_inside(folder: Path, site: Path) -> bool:
    """Whether `folder` is where its name says: no link of a package leads out of `site`."""
    return folder.resolve() == folder and folder.is_relative_to(site)


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_ours(path: Path, record: Record) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return stat.S_IMODE(path.stat().st_mode) == _UNWRITTEN
    return record.data.startswith(head)
