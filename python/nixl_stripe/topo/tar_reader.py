# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the small tar archives that captures are.

Python's tarfile takes a damaged header for the end of the archive, and a header may announce
gigabytes. Here an archive is first decompressed whole, within a limit and with its checksum, and
every byte of it is then either understood or refused: an archive with one bit flipped is an error.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted.file import read_up_to

#: A capture has some hundred files of some bytes; more is no capture. The one of a p5 with its 8
#: GPUs and 32 NICs has 1221 members and 2 MiB. Each member costs a file in a scratch folder, which
#: on a busy disk is half a millisecond of CPU, so the limit is what a capture can cost.
MAX_ARCHIVE_BYTES = 16 << 20
MAX_ARCHIVE_MEMBERS = 5000
MAX_MEMBER_BYTES = 1 << 20
MAX_NAME_BYTES = 4096  # Linux's PATH_MAX
MAX_DEPTH = 64
#: Of one member, in the pax format: its two names and what tar programs note beside them.
MAX_PROPERTIES = 20

_BLOCK = 512
_GZIP = b"\x1f\x8b"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_FILE, _LINK, _FOLDER = b"0", b"2", b"5"
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_PAX_RECORD = re.compile(rb"(\d{1,5}) ([^=\n]{1,64})=")
#: What tar programs note beside the two names, and what does not change how an archive is read.
_HARMLESS = re.compile(
    rb"mtime|atime|ctime|uid|gid|uname|gname|comment|LIBARCHIVE\.\w+|SCHILY\.\w+"
)


@dataclass(frozen=True)
class Member:
    """One entry: `content` of a file, `target` of a symbolic link, neither for a folder."""

    name: str
    content: bytes | None = None
    target: str | None = None


def looks_like_archive(path: Path) -> bool:
    """Whether `path` is to be read as an archive: by its first bytes, or by what it is called."""
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return True
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    return head.startswith((_GZIP, *_OTHERS)) or head[257:262] == b"ustar"


def read_archive(path: Path) -> Iterator[Member]:
    """Yield the members of a .tar or .tar.gz in order.

    Raises StripeError naming `path` and the place in it: damage, a kind of member that no capture
    has, or more than the limits of this module. OSError where it cannot be read.
    """
    yield from _Tar(str(path), _whole(path)).members()


def _whole(path: Path) -> bytes:
    with path.open("rb") as file:
        packed = read_up_to(file, MAX_ARCHIVE_BYTES + 1)
    if len(packed) > MAX_ARCHIVE_BYTES:
        raise _too_large(path)
    for magic, program in _OTHERS.items():
        if packed.startswith(magic):
            raise StripeError(f"{path}: {program} is not read; captures are .tar.gz or .tar")
    if not packed.startswith(_GZIP):
        if path.name.endswith((".gz", ".tgz")):
            raise StripeError(f"{path}: not a captured sysfs: at byte 0: no gzip, or damaged")
        return packed
    return _decompressed(path, packed)


def _decompressed(path: Path, packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)  # gzip, whose CRC and length zlib checks at the end
    try:
        data = unpacker.decompress(packed, MAX_ARCHIVE_BYTES + 1)
    except zlib.error as error:
        raise StripeError(f"{path}: not a captured sysfs: damaged gzip: {error}") from error
    if len(data) > MAX_ARCHIVE_BYTES:
        raise _too_large(path)
    if not unpacker.eof:
        raise StripeError(f"{path}: not a captured sysfs: cut off at byte {len(packed)}")
    if unpacker.unused_data:
        where = len(packed) - len(unpacker.unused_data)
        raise StripeError(
            f"{path}: not a captured sysfs: something follows its end at byte {where}"
        )
    return data


def _too_large(path: Path) -> StripeError:
    return StripeError(
        f"{path}: too large for a captured sysfs: more than {MAX_ARCHIVE_BYTES >> 20} MiB"
    )


class _Tar:
    def __init__(self, source: str, data: bytes) -> None:
        self._source = source
        self._data = data
        self._at = 0
        self._headers = 0

    def _error(self, what: str) -> StripeError:
        where = f"byte {self._at} of the unpacked archive"
        return StripeError(f"{self._source}: not a captured sysfs: at {where}: {what}")

    def members(self) -> Iterator[Member]:
        long_names: dict[str, str] = {}
        while (header := self._header()) is not None:
            self._headers += 1
            if self._headers > 2 * MAX_ARCHIVE_MEMBERS:  # a member may have one for a long name
                raise StripeError(
                    f"{self._source}: too large for a captured sysfs: more than "
                    f"{2 * MAX_ARCHIVE_MEMBERS} tar headers"
                )
            kind = header[156:157]
            content = self._content(header, kind)
            if kind in (_PAX, _PAX_GLOBAL):
                long_names |= self._pax(content)
            elif kind in (_LONG_NAME, _LONG_LINK):
                key = "path" if kind == _LONG_NAME else "linkpath"
                long_names[key] = self._text(content.rstrip(b"\0"))
            else:
                yield self._member(header, kind, content, long_names)
                long_names = {}
            self._at += _BLOCK + -(-len(content) // _BLOCK) * _BLOCK
        if long_names:
            raise self._error("the archive ends where a long name's member should be")

    def _header(self) -> bytes | None:
        """Return the next header; None at the end, behind which there is nothing but zeros."""
        header = self._data[self._at : self._at + _BLOCK]
        if len(header) < _BLOCK:
            raise self._error("the archive is cut off")
        if header.count(0) == _BLOCK:
            rest = self._data[self._at :]
            if len(rest) < 2 * _BLOCK or rest.count(0) != len(rest):
                raise self._error("an empty block inside the archive")
            return None
        if header[257:262] != b"ustar":
            raise self._error("no tar header")
        wanted = self._number(header[148:156])
        if sum(header) - sum(header[148:156]) + 8 * 0x20 != wanted:
            raise self._error("a damaged header: its checksum is another")
        return header

    def _number(self, field: bytes) -> int:
        text = field.strip(b" \0")
        if not re.fullmatch(rb"[0-7]+", text):
            raise self._error(f"{field!r} where an octal number should be")
        return int(text, 8)

    def _content(self, header: bytes, kind: bytes) -> bytes:
        size = self._number(header[124:136])
        if kind in (_FOLDER, _LINK) and size:
            raise self._error(f"a folder or link of {size} bytes")
        names = (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK)
        limit = 4 * MAX_NAME_BYTES if kind in names else MAX_MEMBER_BYTES
        if size > limit:
            raise StripeError(
                f"{self._source}: too large for a captured sysfs: a member of {size} bytes at byte "
                f"{self._at}, at most {limit} are read"
            )
        start = self._at + _BLOCK
        content = self._data[start : start + size]
        padding = self._data[start + size : start + -(-size // _BLOCK) * _BLOCK]
        if len(content) < size or len(padding) != -size % _BLOCK:
            raise self._error("the archive is cut off")
        if padding.count(0) != len(padding):
            raise self._error("something stands where a member is filled up with zeros")
        return content

    def _pax(self, content: bytes) -> dict[str, str]:
        found: dict[str, str] = {}
        at = count = 0
        while at < len(content):
            count += 1
            if count > MAX_PROPERTIES:
                raise self._error(f"a member with more than {MAX_PROPERTIES} properties")
            record = _PAX_RECORD.match(content, at)
            end = at + int(record[1]) if record else 0
            if record is None or end < record.end() or content[end - 1 : end] != b"\n":
                raise self._error("a damaged list of properties")
            value = content[record.end() : end - 1]
            if record[2] in (b"path", b"linkpath"):
                found[record[2].decode()] = self._text(value)
            elif not _HARMLESS.fullmatch(record[2]):
                raise self._error(f"a member with the property {record[2]!r}")
            at = end
        return found

    def _text(self, name: bytes) -> str:
        if len(name) > MAX_NAME_BYTES or b"\0" in name:
            raise self._error(f"a name that is longer than {MAX_NAME_BYTES} bytes or has a zero")
        return name.decode("utf-8", "surrogateescape")

    def _field(self, field: bytes) -> bytes:
        name, _, rest = field.partition(b"\0")
        if rest.count(0) != len(rest):
            raise self._error("something stands behind the end of a name")
        return name

    def _member(
        self, header: bytes, kind: bytes, content: bytes, long_names: dict[str, str]
    ) -> Member:
        prefix = self._field(header[345:500]) if header[257:263] == b"ustar\0" else b""
        short = self._field(header[:100])
        name = long_names.get("path") or self._text(prefix + b"/" * bool(prefix) + short)
        if kind in (_FILE, b"\0"):
            return Member(name, content=content)
        if kind == _LINK:
            target = long_names.get("linkpath") or self._text(self._field(header[157:257]))
            return Member(name, target=target)
        if kind == _FOLDER:
            return Member(name)
        raise self._error(f"{name!r} is no file, folder or symbolic link (type {kind!r})")
