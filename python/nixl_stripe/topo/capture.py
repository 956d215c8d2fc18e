# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Copy what the probe reads of a sysfs, so that a machine can be looked at elsewhere.

The files are exactly those that reading the machine looks at, which the reader itself says, less
the free slots at the end of GID tables. No serial numbers, host names, MAC addresses or firmware
texts are among them. GIDs hold GUIDs, MAC and IP addresses, so they are replaced: link-local ones
by numbers, IPv4 ones by addresses in 10.0.0.0/8 that keep which of them share a /24, others by
documentation addresses. GUIDs of cards become numbers: equal ones stay equal.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from nixl_stripe._core import sysfs_reads
from nixl_stripe.errors import StripeError
from nixl_stripe.scratch import Scratch, partial
from nixl_stripe.topo.archive import mark_unfinished, write_manifest
from nixl_stripe.topo.unpacking import check_size

MAX_ATTRIBUTE = 4096
_MAX_LINKS = 40  # what Linux follows
_GUID = re.compile(r"[0-9a-f]{4}(:[0-9a-f]{4}){3}")
_GID_FILE = re.compile(r"/gids/\d+$")
_GID = re.compile(r"[0-9a-f]{4}(:[0-9a-f]{4}){7}")


def capture(
    destination: str | os.PathLike[str],
    *,
    source: str | os.PathLike[str] = "/sys",
    keep_addresses: bool = False,
) -> Path:
    """Copy what the probe reads of `source` to `destination` and return its path.

    A `destination` that ends in .tar.gz or .tgz becomes an archive, any other a folder that must
    not exist or be empty. `machine(destination)` then equals `machine(source)` but for its source,
    access to device nodes and interface addresses (only a live /sys tells those) and, unless
    `keep_addresses`, the GIDs. An archive is there as a whole or not at all; a folder that was not
    finished, because the process was killed, is refused by `machine`.

    Raises ValueError when `source` is no folder and StripeError when `destination` cannot be
    written or `source` has more than a capture can hold.
    """
    target = Path(destination)
    reads = sysfs_reads(os.fspath(source))
    try:
        if target.name.endswith((".tar.gz", ".tgz")):
            with Scratch("capture") as scratch, partial(target) as (_, file):
                folder = scratch / "sys"
                folder.mkdir()
                _copy(Path(source), folder, reads, keep_addresses)
                with tarfile.open(target.name, "w:gz", file) as archive:
                    archive.add(folder, arcname=".", filter=_anonymous)
            return target
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise StripeError(f"{target} is already there; name a new folder or a .tar.gz")
        with _whole_or_gone(target):
            _copy(Path(source), target, reads, keep_addresses)
    except OSError as error:
        raise StripeError(f"cannot write the capture to {target}: {error}") from error
    return target


@contextlib.contextmanager
def _whole_or_gone(target: Path) -> Iterator[None]:
    """Make the folder; take it away, or what was put into an empty one, if it is not finished."""
    is_new = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    try:
        mark_unfinished(target)
        yield
    except BaseException:
        for path in target.iterdir():
            shutil.rmtree(path, ignore_errors=True)  # does nothing where it is no folder
            path.unlink(missing_ok=True)
        if is_new:
            target.rmdir()
        raise


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who made the archive and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _copy(source: Path, target: Path, reads: list[str], keep_addresses: bool) -> None:
    _Copy(source, target, keep_addresses).paths(reads)
    _drop_free_gids(target)
    write_manifest(target)
    check_size(os.fspath(source), (p.relative_to(target).as_posix() for p in target.rglob("*")))


def _drop_free_gids(folder: Path) -> None:
    """Drop what lies behind the last GID of each table: RoCE's have 256 slots, nearly all free.

    The reader takes a slot that is missing for the end of the table. The first slot stays: it says
    that the table can be read.
    """
    for table in folder.rglob("ports/*/gids"):
        slots = sorted((path for path in table.glob("*") if _GID_FILE.search(str(path))), key=_slot)
        while len(slots) > 1 and slots[-1].is_file() and not slots[-1].read_bytes().strip(b"0:\n"):
            slots.pop().unlink()


def _slot(path: Path) -> int:
    return int(path.name)


class _Copy:
    """Copies single paths of a tree together with the links that lead to them."""

    def __init__(self, source: Path, target: Path, keep_addresses: bool) -> None:
        self._source = Path(os.path.realpath(source))
        self._named = source
        self._target = target
        self._gids = None if keep_addresses else _GidNames()

    def paths(self, paths: list[str]) -> None:
        for path in dict.fromkeys(paths):
            parts = Path(os.path.relpath(path, self._named)).parts
            real = self._resolve(parts)
            if real is not None:
                self._leaf(real)

    def _resolve(self, parts: tuple[str, ...]) -> Path | None:
        """Return where a path leads, relative to the root, having copied the links on the way."""
        todo = list(parts)
        at = Path()
        links = 0
        while todo:
            part = todo.pop(0)
            if part == "..":
                at = at.parent
                continue
            here = self._source / at / part
            if not here.is_symlink():
                at = at / part
                continue
            text = os.fspath(here.readlink())
            links += 1
            if links > _MAX_LINKS or not self._link(at / part, text):
                return None
            todo[:0] = Path(text).parts
        return at

    def _link(self, path: Path, text: str) -> bool:
        """Copy a link; False for one that leaves the tree, which a copy cannot follow."""
        lexical = os.path.normpath(path.parent / text)
        if Path(text).is_absolute() or lexical.startswith(".."):
            return False
        copy = self._target / path
        if not copy.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(text)
        return True

    def _leaf(self, path: Path) -> None:
        original = self._source / path
        copy = self._target / path
        if original.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        elif original.is_file() and not copy.exists():
            try:
                with original.open("rb") as file:
                    content = file.read(MAX_ATTRIBUTE)
            except OSError:
                return  # the reader could not read it either: the speed of a link that is down
            copy.parent.mkdir(parents=True, exist_ok=True)
            if self._gids is not None and _GID_FILE.search(path.as_posix()):
                content = self._gids.replace(content)
            if self._gids is not None and path.name == "sys_image_guid":
                content = self._gids.replace_guid(content)
            copy.write_bytes(content)


class _GidNames:
    """Stands in for GIDs: equal ones stay equal, and so do the /24 networks of IPv4 ones."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def replace(self, content: bytes) -> bytes:
        text = content.decode("ascii", "replace").strip()
        if not _GID.fullmatch(text) or not text.strip("0:"):
            return content
        if text.startswith("fe80:"):
            return f"fe80:0000:0000:0000:0000:0000:0000:{self._number('link', text):04x}\n".encode()
        if text.startswith("0000:0000:0000:0000:0000:ffff:"):
            network = self._number("network", text[:-2])
            host = self._number(text[:-2], text)
            high, low = divmod(network, 256)
            return (
                f"0000:0000:0000:0000:0000:ffff:0a{high % 256:02x}:{low:02x}{host % 256:02x}\n"
            ).encode()
        prefix = self._number("prefix", text[:19])
        number = self._number("other", text)
        return f"2001:0db8:0000:{prefix:04x}:0000:0000:0000:{number:04x}\n".encode()

    def replace_guid(self, content: bytes) -> bytes:
        text = content.decode("ascii", "replace").strip()
        if not _GUID.fullmatch(text) or not text.strip("0:"):
            return content
        return f"0000:0000:0000:{self._number('guid', text):04x}\n".encode()

    def _number(self, kind: str, text: str) -> int:
        of_kind = self._numbers.setdefault(kind, {})
        return of_kind.setdefault(text, len(of_kind) + 1)
