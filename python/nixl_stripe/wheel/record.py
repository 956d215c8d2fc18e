# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""RECORD, the file list of a wheel or an installed distribution, edited line by line.

Lines that an edit does not concern keep their bytes, so that an edit can be undone exactly.
Format: PEP 376 and the packaging user guide, "Recording installed projects".
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

from nixl_stripe.errors import StripeError

#: Limits of a RECORD; NIXL's own has some hundred rows.
LARGEST, MOST_ROWS = 4 << 20, 10_000
_LONGEST_ROW = 8192
#: Hashes that the format allows, which leaves md5 and sha1 out.
_HASHES = ("sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256", "sha3_384", "sha3_512")


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """Return the hash of `data` as RECORD writes it: `sha256=` and unpadded urlsafe base64.

    Raises ValueError when Python's hashlib does not know `algorithm`.
    """
    return f"{algorithm}={_base64(hashlib.new(algorithm, data).digest())}"


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(frozen=True)
class Entry:
    """Hash and size of one row as they are written; both are empty where they are left out."""

    digest: str
    size: str

    @classmethod
    def of(cls, data: bytes) -> Entry:
        """Return the entry of a file whose content is `data`."""
        return cls(digest_of(data), str(len(data)))

    def vouches_for(self, data: bytes) -> bool:
        """Whether it is a true row for a file with the content `data`; what is left out is true."""
        if not self.digest:
            return self.size in ("", str(len(data)))
        algorithm = self.algorithm
        return algorithm is not None and self.is_true(
            hashlib.new(algorithm, data).digest(), len(data)
        )

    @property
    def algorithm(self) -> str | None:
        """The hash as hashlib names it; None where there is none, or one that is not allowed."""
        name, equals, _ = self.digest.partition("=")
        return name if equals and name in _HASHES else None

    def is_true(self, digest: bytes, size: int) -> bool:
        """Whether it says this hash, by its own `algorithm`, and this size in bytes (or none)."""
        written = f"{self.algorithm}={_base64(digest)}"
        return self.digest == written and self.size in ("", str(size))


@dataclass(frozen=True)
class Record:
    """A RECORD as its lines, with their ends. Every edit returns a new one."""

    lines: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes, where: object = "RECORD") -> Record:
        """Return the RECORD whose whole content is `data`.

        where: the file, for the error.
        Raises StripeError, with the line, for what is not rows of path, hash and size.
        """
        if len(data) > LARGEST:
            raise StripeError(f"{where}: {len(data)} bytes, up to {LARGEST} are accepted")
        lines = tuple(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""))
        if len(lines) > MOST_ROWS:
            raise StripeError(f"{where}: {len(lines)} rows, up to {MOST_ROWS} are accepted")
        for number, line in enumerate(lines, 1):
            if line.strip() and not _is_row(line):
                shown = line.strip()[:80].encode("ascii", "backslashreplace").decode()
                raise StripeError(f"{where}: line {number}: {shown!r} is no row of path,hash,size")
        return cls(lines)

    @property
    def text(self) -> str:
        """The whole text, ready to be written (with newline translation off)."""
        return "".join(self.lines)

    @property
    def data(self) -> bytes:
        """The whole text as bytes; what is not UTF-8 is as it was read."""
        return self.text.encode("utf-8", "surrogateescape")

    def paths(self) -> list[str]:
        """Return the path of every row, in order."""
        return [path for path in map(_path_of, self.lines) if path]

    def entries(self) -> dict[str, Entry]:
        """Return hash and size of every row by its path."""
        return {_path_of(line): _entry_of(line) for line in self.lines if line.strip()}

    def get(self, path: str) -> Entry | None:
        """Return hash and size of the row for `path`, None where there is no such row."""
        return next((_entry_of(line) for line in self.lines if _path_of(line) == path), None)

    def put(self, path: str, entry: Entry, after: str) -> Record:
        """Return it with the row for `path` set to `entry`; a new row goes behind that of `after`.

        Raises KeyError when neither `path` nor `after` has a row.
        """
        lines = list(self.lines)
        known = [_path_of(line) for line in lines]
        if path in known:
            at = known.index(path)
            lines[at] = _line(path, entry, like=lines[at])
        elif after in known:
            at = known.index(after)
            new = _line(path, entry, like=lines[at])
            if not _end_of(lines[at]):  # the last line of a file that lacks its final line end
                lines[at] += "\n"
            lines.insert(at + 1, new)
        else:
            raise KeyError(path)
        return Record(tuple(lines))

    def without(self, *paths: str) -> Record:
        """Return it without the rows for `paths`."""
        return Record(tuple(line for line in self.lines if _path_of(line) not in paths))

    def renamed(self, rename: Callable[[str], str]) -> Record:
        """Return it with each row's path put through `rename`."""
        return Record(tuple(_renamed(line, rename) for line in self.lines))


def _is_row(line: str) -> bool:
    if len(line) > _LONGEST_ROW or "\0" in line:
        return False
    if '"' not in line:  # nearly all are such, and a reader of CSV for each takes long
        return line.count(",") == 2 and not line.startswith(",")
    try:
        (row,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError):
        return False
    return len(row) == 3 and bool(row[0]) and "\n" not in row[0] and "\r" not in row[0]


def _path_of(line: str) -> str:
    if not line.startswith('"'):
        path, comma, _ = line.partition(",")
        return path if comma else ""
    row = next(csv.reader([line]), [])
    return row[0] if row else ""


def _entry_of(line: str) -> Entry:
    _, digest, size = next(csv.reader([line]))
    return Entry(digest, size)


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _line(path: str, entry: Entry, like: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator=_end_of(like)).writerow([path, entry.digest, entry.size])
    return out.getvalue()


def _renamed(line: str, rename: Callable[[str], str]) -> str:
    path = _path_of(line)
    new = rename(path)
    if new == path:
        return line
    return _line(new, _entry_of(line), like=line)
