# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Unpack a captured sysfs into a folder of ours, and check it against its manifest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from nixl_stripe.errors import StripeError
from nixl_stripe.topo.tar_reader import MAX_ARCHIVE_BYTES, MAX_ARCHIVE_MEMBERS, read_archive
from nixl_stripe.topo.unpacking import UnpackingPlan
from nixl_stripe.untrusted.file import read_up_to

#: Lines of `sha256sum`, for every file of a capture; captures made before there was one lack it.
MANIFEST = "SHA256SUMS"
#: What stands in it until all files are there. No reader of any version takes it for checksums.
_UNFINISHED = "this capture is not finished\n"
_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def mark_unfinished(folder: Path) -> None:
    """Have `folder` refused until `write_manifest` says what is in it; OSError as from writing."""
    (folder / MANIFEST).write_text(_UNFINISHED, encoding="ascii")


def write_manifest(folder: Path) -> None:
    """Write the checksums of every file in `folder` beside them; OSError as from writing."""
    listing = folder / MANIFEST
    files = (
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path != listing
    )
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
        f"{_escaped(path.relative_to(folder).as_posix())}\n"
        for path in sorted(files)
    ]
    draft = listing.with_name(f"{MANIFEST}.new")
    draft.write_text("".join(lines), encoding="ascii")
    draft.replace(listing)


def _escaped(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii")


def unpack(path: Path, folder: Path) -> None:
    """Unpack the capture `path` into the empty `folder`, once all of it has been checked.

    Raises StripeError naming `path` and the place in it for whatever is damaged, leads out of the
    archive, has no place in a capture, or is larger than one; nothing is written then. OSError
    where `path` cannot be read.
    """
    plan = UnpackingPlan(path)
    for member in read_archive(path):
        plan.add(member)
    plan.check_links()
    contents = plan.contents()
    if (listing := contents.pop(MANIFEST, None)) is not None:
        _check_listing(listing, str(path), lambda name: contents.pop(name, None))
        if contents:
            raise StripeError(f"{path}: {min(contents)!r} is not among its {MANIFEST}")
    plan.write(folder)


def check_manifest(folder: Path, source: str) -> None:
    """Compare the files of a copied capture with its manifest, if it has one.

    Raises StripeError naming `source` and the file that is missing or another.
    """
    if not (folder / MANIFEST).exists():
        return
    if not (folder / MANIFEST).is_file():
        raise StripeError(f"{source}/{MANIFEST}: not a file")
    _check_listing(
        _bytes_of(folder / MANIFEST) or b"", source, lambda name: _bytes_of(folder / name)
    )


def _bytes_of(path: Path) -> bytes | None:
    """Content of a file, as much as an archive could hold; None for what is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return read_up_to(file, MAX_ARCHIVE_BYTES + 1)


def _check_listing(data: bytes, source: str, content: Callable[[str], bytes | None]) -> None:
    listing = f"{source}/{MANIFEST}"
    if data == _UNFINISHED.encode():
        raise StripeError(f"{listing}: the capture was stopped half-way; take it again")
    lines = data.decode("ascii", "replace").split("\n")
    if len(data) > MAX_ARCHIVE_BYTES or len(lines) > MAX_ARCHIVE_MEMBERS or lines.pop():
        raise StripeError(f"{listing}: cut off, or too large for a captured sysfs")
    total = 0
    for number, line in enumerate(lines, 1):
        found = _MANIFEST_LINE.fullmatch(line)
        name = _unescaped(found[2]) if found else ".."
        if found is None or ".." in PurePosixPath(name).parts or name.startswith("/"):
            raise StripeError(f"{listing}:{number}: no checksum and name of a file")
        captured = content(name)
        total += len(captured or b"")
        if total > MAX_ARCHIVE_BYTES:
            raise StripeError(
                f"{listing}:{number}: more than {MAX_ARCHIVE_BYTES >> 20} MiB up to here; too "
                "large for a captured sysfs"
            )
        if captured is None or hashlib.sha256(captured).hexdigest() != found[1]:
            raise StripeError(
                f"{listing}:{number}: {name!r} is missing or is not what was captured; take the "
                f"capture again, or delete {MANIFEST} if it was edited on purpose"
            )


def _unescaped(name: str) -> str:
    """Undo _escaped(); ".." for what it cannot have made."""
    try:
        plain = name.encode("ascii").decode("unicode_escape")
    except UnicodeError:
        return ".."
    return ".." if "\0" in plain else plain
