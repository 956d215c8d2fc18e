# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Many names in few words: mlx5_[0-7]:1, as UCX writes ranges of devices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

#: A machine with more NICs than this is shown by ranges.
MANY = 8
#: Shorter runs of numbers stay names.
_SHORTEST = 3
_NUMBER = re.compile(r"(?<!\d)(?:0|[1-9]\d{0,8})(?!\d)")


def ranges(names: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the names in order, runs that differ by one number alone put together.

    Each is what to write and the names that it stands for.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    rest = list(names)
    while rest:
        text, count = max(_runs(rest), key=lambda run: run[1], default=("", 1))
        if count < _SHORTEST:
            text, count = rest[0], 1
        found.append((text, tuple(rest[:count])))
        rest = rest[count:]
    return found


def natural(names: Iterable[str]) -> list[str]:
    """Return the names in natural order: mlx5_2 before mlx5_10."""
    return sorted(names, key=lambda name: [part.zfill(20) for part in re.split(r"(\d+)", name)])


def short_list(names: Sequence[str]) -> str:
    """Return a list for people: every name, or ranges and their number where there are many."""
    if len(names) <= MANY:
        return ",".join(names)
    return f"{','.join(text for text, _ in ranges(names))} ({len(names)})"


def _runs(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield, for each number in the first name, the run of names that counts it up."""
    first = names[0]
    for number in _NUMBER.finditer(first):
        before, after = first[: number.start()], first[number.end() :]
        start, count = int(number[0]), 1
        while count < len(names) and names[count] == f"{before}{start + count}{after}":
            count += 1
        yield f"{before}[{start}-{start + count - 1}]{after}", count
