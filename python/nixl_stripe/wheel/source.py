# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A published NIXL wheel, opened and checked before anything is made from it."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted import one_line
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import headers
from nixl_stripe.wheel.layout import LARGEST_PLUGIN, PLUGIN, STOCK
from nixl_stripe.wheel.members import LARGEST_TEXT, chunks_of, read_member
from nixl_stripe.wheel.record import LARGEST, Record
from nixl_stripe.wheel.state import File

#: Called with bytes done and bytes in all.
Progress = Callable[[int, int], None]
_PUBLISHED_NAME = f"a name like nixl_cu12-{NEWEST}-cp312-cp312-manylinux_2_28_x86_64.whl is wanted"


@dataclass(frozen=True)
class NixlWheel:
    """A wheel of NIXL that is open and can be patched."""

    path: Path
    file: IO[bytes]
    archive: zipfile.ZipFile
    distribution: str
    """`nixl-cu12`, ..."""
    version: str
    record: Record
    plugin: zipfile.ZipInfo
    """The stock plugin that NIXL loads, not the second copy under `nixl_cuXX.libs`."""
    stock: File

    @property
    def stem(self) -> str:
        """Name and version as the file name and the folders inside write them."""
        return "-".join(self.path.name.split("-")[:2])

    def metadata(self, name: str) -> str:
        """Return the path of the file `name` of the wheel's .dist-info folder."""
        return f"{self.stem}.dist-info/{name}"

    def verify(self, progress: Progress | None = None) -> None:
        """Read every member and compare it with RECORD.

        Raises StripeError where one differs or is not listed, or another file is.
        """
        self._check_rows()
        total = sum(member.file_size for member in self.archive.infolist())
        done = 0
        rows = self.record.entries()
        unlisted = {self.metadata(f"RECORD{suffix}") for suffix in ("", ".jws", ".p7s")}
        for member in self.archive.infolist():
            name = member.filename
            row = rows.get(name)
            algorithm = row.algorithm if row else None
            found = hashlib.new(algorithm or "sha256")
            size = 0
            with self.archive.open(member) as content:  # which compares the CRC at its end
                for data in chunks_of(content):
                    found.update(data)
                    size += len(data)
                    if progress:
                        progress(done + size, total)
            done += size
            if size != member.file_size:
                raise StripeError(f"{self.path} is damaged: {name} has two sizes")
            if member.is_dir() or name in unlisted:
                continue
            if row is None or algorithm is None or not row.is_true(found.digest(), size):
                raise StripeError(f"{self.path} is damaged: {name} is not what its RECORD says")

    def _check_rows(self) -> None:
        """Refuse rows of files that are not there: an uninstall would look for them all the same.

        `../../../bin/python` is one that pip would find.
        """
        names = set(self.archive.namelist())
        for path, count in Counter(self.record.paths()).items():
            wrong = "which it does not hold" if path not in names else "more than once"
            if count > 1 or path not in names:
                raise StripeError(f"{self.path}: its RECORD lists {one_line(path)!r}, {wrong}")


def read_wheel(path: Path, file: IO[bytes], archive: zipfile.ZipFile) -> NixlWheel:
    """Return the wheel `path`, open as `file` and `archive`.

    Raises StripeError when it is not a wheel of NIXL, has no UCX plugin or is patched already.
    """
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise StripeError(f"{path.name}: not the name of a wheel; {_PUBLISHED_NAME}") from error
    if not re.fullmatch(r"nixl(-cu\d+)?", name):
        raise StripeError(f"{path.name} is a wheel of {name}, not of NIXL; {_PUBLISHED_NAME}")
    folder = "-".join(path.name.split("-")[:2]) + ".dist-info"
    names = set(archive.namelist())
    absent = [part for part in ("METADATA", "WHEEL", "RECORD") if f"{folder}/{part}" not in names]
    if absent:
        raise StripeError(f"{path.name} is not a wheel: it has no {folder}/{absent[0]}")
    metadata = read_member(path, archive, f"{folder}/METADATA", LARGEST_TEXT)
    versions = headers.values_of(metadata, "Version") or ["none"]
    if versions != [path.name.split("-")[1]]:
        said = " and ".join(ascii(each) for each in versions[:3])
        raise StripeError(f"{path.name}: its METADATA says version {said}")
    member = _plugin_of(path.name, archive)
    stock = File.of(read_member(path, archive, member.filename, LARGEST_PLUGIN))
    if stock.is_ours or member.filename.replace(PLUGIN, STOCK) in names:
        raise StripeError(
            f"{path.name} is patched already"
            f"{f' (nixl-stripe {stock.facts.stripe_version})' if stock.facts else ''}; "
            "build from the published wheel"
        )
    if not stock.is_stock:
        raise StripeError(f"{path.name}: {member.filename} is not a plugin of NIXL")
    listing = f"{folder}/RECORD"
    record = Record.parse(read_member(path, archive, listing, LARGEST), f"{path.name}: {listing}")
    return NixlWheel(path, file, archive, str(name), str(version), record, member, stock)


def _plugin_of(wheel: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = [
        member
        for member in archive.infolist()
        if PurePosixPath(member.filename).name == PLUGIN
        and PurePosixPath(member.filename).parent.name == "plugins"
    ]
    if len(found) == 1:
        return found[0]
    if not found and wheel.startswith("nixl-"):
        raise StripeError(
            f"{wheel} holds no UCX plugin: it is the meta package, which requires the wheels that "
            "do; build from nixl-cu12 and nixl-cu13"
        )
    raise StripeError(f"{wheel} holds {len(found) or 'no'} plugins/{PLUGIN}; one is wanted")
