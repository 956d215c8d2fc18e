# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The members of a wheel, judged by the archive's directory before any of them is unpacked.

What is refused here pip refuses as well, or would install in another way than it is listed. The
limits bound time and memory; the largest NIXL wheel stays below a tenth of each.
"""

from __future__ import annotations

import itertools
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import one_line
from nixl_stripe.wheel import headers

MIB = 1 << 20
#: Bytes of the file, and of all members unpacked.
LARGEST_WHEEL = LARGEST_CONTENT = 1024 * MIB
MOST_MEMBERS = 10_000
#: Bytes of a member that is read as a whole: METADATA and WHEEL.
LARGEST_TEXT = headers.LARGEST
CHUNK = MIB
_LONGEST_NAME = 1024
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
#: What `zipfile` raises, beside its own, over bytes that are no archive or damaged.
_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    OverflowError,
)


@contextmanager
def open_wheel(path: Path) -> Iterator[tuple[IO[bytes], zipfile.ZipFile]]:
    """Open the wheel `path`, its members checked; StripeError for whatever is wrong with it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size > LARGEST_WHEEL:
                raise StripeError(
                    f"{path}: {size} bytes are more than a wheel of NIXL has "
                    f"(up to {LARGEST_WHEEL})"
                )
            with zipfile.ZipFile(file) as archive:
                _check(path, archive)
                yield file, archive
    except OSError as error:
        raise StripeError(f"{error.filename or path}: {error.strerror or error}") from error
    except _DAMAGED as error:
        raise StripeError(f"{path} is damaged or not a wheel: {_why(error)}") from error


def read_member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the content of the member `name`; StripeError where it has more than `limit` bytes."""
    size = archive.getinfo(name).file_size
    if size > limit:
        raise StripeError(f"{path}: {name} has {size} bytes, up to {limit} are accepted")
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) != size:
        raise StripeError(f"{path} is damaged: {name} has not the {size} bytes that it says")
    return data


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what is left of `file`, a little at a time."""
    while data := file.read(CHUNK):
        yield data


def _check(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise StripeError(f"{path}: {len(members)} members, up to {MOST_MEMBERS} are accepted")
    for member in members:
        wrong = _wrong_with(member)
        if wrong:
            raise _refused(path, member.filename, wrong)
    _check_places(path, members)
    total = sum(member.file_size for member in members)
    if total > LARGEST_CONTENT:
        raise StripeError(
            f"{path}: its members have {total} bytes unpacked, up to {LARGEST_CONTENT} are accepted"
        )
    _check_overlap(path, archive)


def _refused(path: Path, name: str, wrong: str) -> StripeError:
    return StripeError(f"{path}: the member {name[:200]!r} {wrong}")


def _check_places(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse two members that are one file once they are installed, and what lies in a file."""
    names: dict[str, str] = {}
    for member in members:
        place = posixpath.normpath(member.filename)
        if member.is_dir():
            place += "/"
        if place in names:
            same = member.filename == names[place]
            wrong = "is there twice" if same else f"is the same file as {names[place][:200]!r}"
            raise _refused(path, member.filename, wrong)
        names[place] = member.filename
    # In this order what lies in a folder comes right behind it.
    places = sorted((each.rstrip("/") for each in names), key=lambda each: each.replace("/", "\0"))
    for above, place in itertools.pairwise(places):
        if above in names and place.startswith(f"{above}/"):
            raise _refused(path, names.get(place, place), f"lies in {above[:200]!r}, a file")


def _wrong_with(member: zipfile.ZipInfo) -> str | None:
    name = member.filename
    parts = PurePosixPath(name).parts
    if len(name) > _LONGEST_NAME:
        return f"has a name of more than {_LONGEST_NAME} characters"
    if not name.isprintable():
        return "has a name with control characters"
    if name.startswith("/") or "\\" in name or ".." in parts or not parts:
        return "leads out of the folder that the wheel is installed into"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted: this is not a wheel that pip takes"
    if member.compress_type not in _METHODS:
        return f"is compressed by method {member.compress_type}; 0 and 8 (DEFLATE) are accepted"
    if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
        return "is not compressed, but has two sizes"
    return None


def _check_overlap(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse members that share bytes or reach into the directory: one byte could stand for all."""
    starts = sorted(archive.infolist(), key=lambda member: member.header_offset)
    ends = [member.header_offset for member in starts[1:]] + [archive.start_dir]
    for member, end in zip(starts, ends, strict=True):
        least = _LOCAL_HEADER + len(member.orig_filename.encode()) + member.compress_size
        if member.header_offset < 0 or member.header_offset + least > end:
            raise StripeError(
                f"{path} is damaged: {member.filename!r} reaches into what follows it"
            )


def _why(error: Exception) -> str:
    return one_line(str(error)) or type(error).__name__
