# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Unpack a captured sysfs into a folder of ours, and check it against its manifest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from nixl_stripe.errors import StripeError
from nixl_stripe.topo.tar_reader import (
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_MEMBERS,
    MAX_DEPTH,
    Member,
    read_archive,
)

#: Lines of `sha256sum`, for every file of a capture; captures made before there was one lack it.
MANIFEST = "SHA256SUMS"
_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_MAX_NAME = 255


def write_manifest(folder: Path) -> None:
    """Write the checksums of every file in `folder` beside them; OSError as from writing."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
        f"{_escaped(path.relative_to(folder).as_posix())}\n"
        for path in sorted(files)
    ]
    (folder / MANIFEST).write_text("".join(lines), encoding="ascii")


def _escaped(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii")


def unpack(path: Path, folder: Path) -> None:
    """Unpack the capture `path` into the empty `folder` and check it.

    Raises StripeError naming `path` and the place in it for whatever is damaged, leads out of the
    archive, has no place in a capture, or is larger than one. OSError where it cannot be read.
    """
    members = list(read_archive(path))
    contents = {
        PurePosixPath(member.name).as_posix(): member.content
        for member in members
        if member.content is not None
    }
    if (listing := contents.pop(MANIFEST, None)) is not None:
        _check_listing(listing, str(path), lambda name: contents.pop(name, None))
        if contents:
            raise StripeError(f"{path}: {min(contents)!r} is not among its {MANIFEST}")
    tree = _Tree(path, folder)
    for member in members:
        tree.add(member)


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
        return file.read(MAX_ARCHIVE_BYTES + 1)


def _check_listing(data: bytes, source: str, content: Callable[[str], bytes | None]) -> None:
    listing = f"{source}/{MANIFEST}"
    lines = data.decode("ascii", "replace").split("\n")
    if len(data) > MAX_ARCHIVE_BYTES or len(lines) > MAX_ARCHIVE_MEMBERS or lines.pop():
        raise StripeError(f"{listing}: cut off, or too large for a captured sysfs")
    for number, line in enumerate(lines, 1):
        found = _MANIFEST_LINE.fullmatch(line)
        name = _unescaped(found[2]) if found else ".."
        if found is None or ".." in PurePosixPath(name).parts or name.startswith("/"):
            raise StripeError(f"{listing}:{number}: no checksum and name of a file")
        captured = content(name)
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


class _Tree:
    """Makes members in a folder; nothing is written or found outside of it.

    Members are made only in folders that were made here, never through links; and a link goes up
    first, if at all, and then down. So no chain of links leads out.
    """

    def __init__(self, archive: Path, root: Path) -> None:
        self._archive = archive
        self._root = root
        self._folders = {PurePosixPath()}

    def _error(self, member: Member, what: str) -> StripeError:
        return StripeError(f"{self._archive}: not a captured sysfs: {member.name!r} {what}")

    def add(self, member: Member) -> None:
        """Make a file, link or folder; StripeError for one that no capture has."""
        path = self._place(member)
        self._make_folders(member, path.parent)
        if path in self._folders:
            if member.content is None and member.target is None:
                return  # "./", or a folder that was made for what is in it
            raise self._error(member, "is there twice")
        here = self._root / path
        try:
            if member.content is not None:
                with here.open("xb") as file:
                    file.write(member.content)
            elif member.target is not None:
                self._check_target(member, path)
                here.symlink_to(member.target)
            else:
                here.mkdir()
                self._folders.add(path)
        except FileExistsError as error:
            raise self._error(member, "is there twice") from error
        except (OSError, ValueError) as error:
            raise self._error(member, f"cannot be made: {error}") from error

    def _place(self, member: Member) -> PurePosixPath:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise self._error(member, "leads out of the archive")
        if len(path.parts) > MAX_DEPTH:
            raise self._error(member, f"is more than {MAX_DEPTH} folders deep")
        if any(len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME for part in path.parts):
            raise self._error(member, f"has a part of more than {_MAX_NAME} bytes")
        return path

    def _make_folders(self, member: Member, path: PurePosixPath) -> None:
        for above in (*reversed(path.parents), path):
            if above in self._folders:
                continue
            try:
                (self._root / above).mkdir()
            except FileExistsError as error:
                raise self._error(member, f"lies in {str(above)!r}, which is no folder") from error
            except OSError as error:
                raise self._error(member, f"cannot be made: {error}") from error
            self._folders.add(above)

    def _check_target(self, member: Member, path: PurePosixPath) -> None:
        target = PurePosixPath(member.target or ".")
        parts = target.parts
        ups = sum(1 for part in parts if part == "..")
        climbs_first = all(part == ".." for part in parts[:ups])
        if target.is_absolute() or not climbs_first or ups > len(path.parts) - 1:
            raise self._error(member, f"is a link out of the archive, to {member.target!r}")
