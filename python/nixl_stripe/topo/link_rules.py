# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What links of a sysfs are never like: rules that keep few files from being read many times.

The kernel makes each link from the place of the device that it leads to: none leads through another
link, no two entries of a class or bus are the same device, and what is listed below a device is
its own folder.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

#: Folders that the reader lists. Interfaces and RDMA devices may be called like one.
_LISTED = re.compile(
    r"(?!class/(net|infiniband)/[^/]+$)"
    r"((class|bus)(/[^/]+)?|bus/pci/devices|(.*/)?(net|infiniband|(ports|gids)(/.*)?))"
)
_CLASSES = ("class/infiniband", "class/infiniband_verbs", "class/net", "bus/pci/devices")
#: Ports of a NIC times interfaces of its PCI function, of all NICs: the reader looks for each
#: port's interface among them. A card with 128 representors and as many sub-functions has fewer.
_MOST_PAIRS = 20_000


def broken_rule(links: Mapping[str, str], paths: Collection[str]) -> tuple[str, str] | None:
    """Return the first path that no sysfs has and what is wrong with it; None where all are fine.

    links: where each leads, as it is written, by its path. paths: all files, links and folders.
    Paths are relative to the root.
    """
    targets = {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        for path, text in links.items()
    }
    return next(itertools.chain(_links(targets), _pairs(targets, paths)), None)


def _links(targets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    taken: dict[tuple[str, str], str] = {}
    for path, target in targets.items():
        if _LISTED.fullmatch(path):
            yield path, "is a link where a sysfs has a folder"
        if target in targets or any(above in targets for above in _above(target)):
            yield path, f"is a link through another link, to {target!r}"
        where = posixpath.dirname(path)
        if where in _CLASSES:
            other = taken.setdefault((where, target), path)
            if other != path:
                yield path, f"is the same device as {other!r}"


def _pairs(targets: Mapping[str, str], paths: Collection[str]) -> Iterator[tuple[str, str]]:
    sizes = Counter(map(posixpath.dirname, paths))
    pairs = 0
    for path in paths:
        nic, _, name = path.rpartition("/")
        if name == "device":
            pairs += sizes[f"{nic}/ports"] * sizes[f"{targets.get(path, path)}/net"]
            if pairs > _MOST_PAIRS:
                yield path, f"makes more than {_MOST_PAIRS} pairs of a port and an interface"


def _above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
