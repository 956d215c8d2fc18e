# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What unpacking a capture makes: planned and checked in memory first, then written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nixl_stripe.errors import StripeError
from nixl_stripe.topo.link_rules import broken_rule
from nixl_stripe.topo.tar_reader import MAX_ARCHIVE_MEMBERS, MAX_DEPTH, Member

_MAX_NAME = 255
#: What a capture can have too many of, by where it lies; the first that fits counts.
_KINDS = {
    "GIDs": re.compile(r"/gids/\d+$"),
    "ports of RDMA NICs": re.compile(r"/ports/[^/]+$"),
    "RDMA NICs": re.compile(r"(^|/)infiniband/[^/]+$"),
    "network interfaces": re.compile(r"(^|/)net/[^/]+$"),
    "PCI functions": re.compile(r"(^|/)[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$"),
}


def check_size(source: str, paths: Iterable[str]) -> None:
    """Refuse a capture of more files, links and folders than any machine's has.

    `source` is what the error names, `paths` are all of them, relative to the sysfs root. Raises
    StripeError with the limit, MAX_ARCHIVE_MEMBERS, and the kind that most of them are.
    """
    paths = list(paths)
    if len(paths) <= MAX_ARCHIVE_MEMBERS:
        return
    counts = dict.fromkeys(_KINDS, 0)
    for path in paths:
        kind = next((kind for kind, place in _KINDS.items() if place.search(path)), None)
        if kind is not None:
            counts[kind] += 1
    most = max(counts, key=lambda kind: counts[kind])
    known = f"; {counts[most]} of the first {len(paths)} are {most}" if counts[most] else ""
    raise StripeError(
        f"{source}: too large for a captured sysfs: more than {MAX_ARCHIVE_MEMBERS} files, "
        f"links and folders{known}"
    )


class UnpackingPlan:
    """The files, links and folders of an archive; nothing is written outside of one folder.

    Members lie only in folders of the archive, never behind its links; and a link goes up first,
    if at all, and then down. So no chain of links leads out.
    """

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._made: dict[str, Member | None] = {}  # by path, those above first; None: a folder

    def add(self, member: Member) -> None:
        """Take a file, link or folder in; StripeError for one that no capture has, or too many."""
        parts = self._parts(member)
        path = "/".join(parts)
        is_folder = member.content is None and member.target is None
        self._add_folders(member, path)
        if not path or path in self._made:
            if is_folder and self._made.get(path) is None:
                return  # "./", or a folder that was taken in for what is in it
            raise self._error(member, "is there twice")
        if member.target is not None:
            self._check_target(member, parts)
        self._take(path, None if is_folder else member)

    def contents(self) -> dict[str, bytes]:
        """Return what is in the files, by path."""
        return {
            path: member.content
            for path, member in self._made.items()
            if member is not None and member.content is not None
        }

    def check_links(self) -> None:
        """Refuse what no sysfs has, once all members are taken in; StripeError."""
        links = {path: each.target for path, each in self._made.items() if each and each.target}
        broken = broken_rule(links, self._made)
        if broken is not None:
            raise self._error(Member(broken[0]), broken[1])

    def write(self, root: Path) -> None:
        """Make all of it in the empty folder `root`; StripeError for what cannot be made."""
        for path, member in self._made.items():
            here = root / path
            try:
                if member is None:
                    here.mkdir()
                elif member.content is not None:
                    with here.open("xb") as file:
                        file.write(member.content)
                elif member.target is not None:
                    here.symlink_to(member.target)
            except (OSError, ValueError) as error:
                name = path if member is None else member.name
                raise self._error(Member(name), f"cannot be made: {error}") from error

    def _error(self, member: Member, what: str) -> StripeError:
        return StripeError(f"{self._archive}: not a captured sysfs: {member.name!r} {what}")

    def _take(self, path: str, member: Member | None) -> None:
        self._made[path] = member
        if len(self._made) > MAX_ARCHIVE_MEMBERS:
            check_size(str(self._archive), self._made)

    def _parts(self, member: Member) -> list[str]:
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        if member.name.startswith("/") or ".." in parts:
            raise self._error(member, "leads out of the archive")
        if len(parts) > MAX_DEPTH:
            raise self._error(member, f"is more than {MAX_DEPTH} folders deep")
        if any(len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME for part in parts):
            raise self._error(member, f"has a part of more than {_MAX_NAME} bytes")
        return parts

    def _add_folders(self, member: Member, path: str) -> None:
        """Take in the folders above, which an archive need not list."""
        missing = []
        above = path.rpartition("/")[0]
        while above and above not in self._made:
            missing.append(above)
            above = above.rpartition("/")[0]
        if above and self._made[above] is not None:
            raise self._error(member, f"lies in {above!r}, which is no folder")
        for folder in reversed(missing):
            self._take(folder, None)

    def _check_target(self, member: Member, parts: list[str]) -> None:
        target = member.target or "."
        steps = [step for step in target.split("/") if step not in ("", ".")]
        ups = steps.count("..")
        climbs_first = all(step == ".." for step in steps[:ups])
        if target.startswith("/") or not climbs_first or ups > len(parts) - 1:
            raise self._error(member, f"is a link out of the archive, to {member.target!r}")
