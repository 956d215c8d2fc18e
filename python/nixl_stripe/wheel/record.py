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


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """Return the hash of `data` as RECORD writes it: `sha256=` and unpadded urlsafe base64.

    Raises ValueError when Python's hashlib does not know `algorithm`.
    """
    value = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=")
    return f"{algorithm}={value.decode('ascii')}"


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
        if self.size not in ("", str(len(data))):
            return False
        algorithm = self.digest.partition("=")[0]
        if algorithm and algorithm not in hashlib.algorithms_available:
            return False
        return not self.digest or self.digest == digest_of(data, algorithm)


@dataclass(frozen=True)
class Record:
    """A RECORD as its lines, with their ends. Every edit returns a new one."""

    lines: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Record:
        """Return the RECORD whose whole text is `text`."""
        return cls(tuple(io.StringIO(text, newline="")))

    @property
    def text(self) -> str:
        """The whole text, ready to be written (with newline translation off)."""
        return "".join(self.lines)

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


def _path_of(line: str) -> str:
    row = next(csv.reader([line]), [])
    return row[0] if row else ""


def _entry_of(line: str) -> Entry:
    _, digest, size = line.rstrip("\r\n").rsplit(",", 2)
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
