# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes in words, both ways."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def bytes_text(count: int) -> str:
    """Return a count of bytes for people: `0 B`, `12.5 MiB`."""
    value, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def parse_size(text: str) -> int:
    """Return the bytes of `65536`, `64K`, `64KiB`, `8M`, `1G`; ValueError for anything else."""
    match = re.fullmatch(r"\s*(\d+)\s*([KMG]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"size {text!r}: accepted are 65536, 64K, 8M, 1G (powers of 1024)")
    return int(match[1]) * _UNITS[match[2].upper()]
