# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One host as data: `machine()` reads it from /sys, a copy, a capture or an XML file."""

from __future__ import annotations

import os
from pathlib import Path

from nixl_stripe._core import Machine, read_machine
from nixl_stripe.errors import SourceError, StripeError
from nixl_stripe.scratch import Scratch
from nixl_stripe.topo.archive import check_manifest, unpack
from nixl_stripe.topo.tar_reader import looks_like_archive


def machine(source: str | os.PathLike[str] | None = None) -> Machine:
    """Return the machine that `source` describes; None is the one this runs on (/sys).

    `source` is a sysfs root (a folder), a .tar.gz made by `capture()`, an hwloc XML or an NCCL
    topology XML. Only a live /sys tells which verbs devices this process may open.

    Raises SourceError, which is a StripeError and a ValueError, naming `source` and the place in it
    when it is missing, of no known kind, damaged, or larger than any machine.
    """
    path = Path("/sys" if source is None else source)
    try:
        if path.is_file() and looks_like_archive(path):
            return _from_archive(path)
        if path.is_dir():
            check_manifest(path, os.fspath(path))
        return read_machine(os.fspath(path))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (StripeError, ValueError) as error:
        raise SourceError(str(error)) from error


def _from_archive(path: Path) -> Machine:
    with Scratch("capture") as scratch:
        folder = scratch / "sys"
        folder.mkdir()
        unpack(path, folder)
        try:
            return read_machine(os.fspath(folder), label=os.fspath(path))
        except ValueError as error:  # names where it was unpacked, which is gone by then
            named = str(error).replace(os.fspath(folder), os.fspath(path))
            raise SourceError(named) from error
