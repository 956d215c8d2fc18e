# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One host as data: `machine()` reads it from /sys, a copy, a capture or an XML file."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nixl_stripe._core import Machine, read_machine
from nixl_stripe.errors import StripeError

#: A capture has some hundred files of some bytes; more is no capture.
MAX_ARCHIVE_BYTES = 64 << 20
MAX_ARCHIVE_MEMBERS = 100_000


def machine(source: str | os.PathLike[str] | None = None) -> Machine:
    """Return the machine that `source` describes; None is the one this runs on (/sys).

    `source` is a sysfs root (a folder), a .tar.gz made by `capture()`, an hwloc XML or an NCCL
    topology XML. Only a live /sys tells which verbs devices this process may open.

    Raises ValueError naming `source` when it is missing or of no known kind, and StripeError for
    an archive that is damaged or not a capture.
    """
    path = Path("/sys" if source is None else source)
    if path.is_file() and tarfile.is_tarfile(path):
        return _from_archive(path)
    return read_machine(os.fspath(path))


def _from_archive(path: Path) -> Machine:
    with tempfile.TemporaryDirectory(prefix="nixl-stripe-") as folder:
        try:
            with tarfile.open(path) as archive:
                members = []
                size = 0
                for member in archive:
                    size += member.size
                    members.append(member)
                    if size > MAX_ARCHIVE_BYTES or len(members) > MAX_ARCHIVE_MEMBERS:
                        raise StripeError(f"{path}: too large for a captured sysfs")
                _unpack(archive, members, folder)
        except (tarfile.TarError, OSError, EOFError, RuntimeError) as error:  # a loop of links
            raise StripeError(f"{path}: not a captured sysfs: {error}") from error
        return read_machine(folder, label=os.fspath(path))


def _unpack(archive: tarfile.TarFile, members: Sequence[tarfile.TarInfo], folder: str) -> None:
    """Extract what stays within `folder`; tarfile.TarError or OSError for anything else."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, members=members, filter="data")
        return
    # Python before 3.10.12 and 3.11.4 has no filters: one by one, as links may lead on to links.
    root = Path(folder).resolve()
    for member in members:
        _refuse_unless_within(root, member)
        archive.extract(member, root)


def _refuse_unless_within(root: Path, member: tarfile.TarInfo) -> None:
    if not (member.isreg() or member.isdir() or member.issym()):
        raise tarfile.ExtractError(f"{member.name!r} is no file, folder or symbolic link")
    places = [root / member.name]
    if member.issym():
        places.append(places[0].parent / member.linkname)
    if not all(place.resolve().is_relative_to(root) for place in places):
        raise tarfile.ExtractError(f"{member.name!r} leads out of the archive")
