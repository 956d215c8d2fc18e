# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes in words, both ways."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_MOST = (1 << 63) - 1
#: Characters of a wrong size that are shown.
_SHOWN = 40


def bytes_text(count: int) -> str:
    """Return a count of bytes for people: `0 B`, `12.5 MiB`."""
    value, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def size_words(count: int) -> str:
    """Return bytes as `parse_size` takes them, in the largest unit that divides them: `64M`."""
    unit = max((unit for unit in _UNITS if count % _UNITS[unit] == 0), key=_UNITS.__getitem__)
    return f"{count // _UNITS[unit]}{unit}"


def parse_size(text: str, name: str = "size") -> int:
    """Return the bytes of `4096`, `64K`, `64KiB`, `16M`, `1G`; a ValueError names what is `name`.

    1 byte to 2**63 - 1.
    """
    pattern = r"\s*(\d{1,19})\s*([KMG]?)(?:i?B)?\s*"
    match = re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)
    size = 0 if match is None else int(match[1]) * _UNITS[match[2].upper()]
    if not 0 < size <= _MOST:
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        raise ValueError(f"{name} {shown!r}: accepted are 4096, 64K, 16M, 1G (powers of 1024)")
    return size
