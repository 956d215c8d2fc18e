# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Platform tags of wheels: the glibc that a wheel asks for."""

from __future__ import annotations

import re

#: PEP 600 gives the old names their glibc.
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"(manylinux1|manylinux2010|manylinux2014|manylinux_(\d+)_(\d+))_(\w+)")


def raise_platform(platform: str, glibc: tuple[int, int] | None) -> str:
    """Return the platform tag `platform` with its glibc raised to `glibc` where it asks for less.

    A wheel tagged `manylinux_2_28_x86_64` that holds a plugin built against glibc 2.34 would be
    installed where it cannot be loaded; pip refuses `manylinux_2_34_x86_64` there.
    """
    match = _MANYLINUX.fullmatch(platform)
    if match is None or glibc is None:
        return platform
    family, major, minor, machine = match.groups()
    asked = _LEGACY.get(family) or (int(major), int(minor))
    return platform if asked >= glibc else f"manylinux_{glibc[0]}_{glibc[1]}_{machine}"


def raise_platforms(platforms: str, glibc: tuple[int, int] | None) -> str:
    """Raise each tag of a compressed set, `manylinux_2_17_x86_64.manylinux2014_x86_64`."""
    raised = [raise_platform(platform, glibc) for platform in platforms.split(".")]
    return ".".join(dict.fromkeys(raised))


def raise_wheel_tags(text: str, glibc: tuple[int, int] | None) -> str:
    """Return the text of a WHEEL file with the platform of each `Tag:` line raised.

    Raises ValueError, with the line, for a tag that is none.
    """
    lines: dict[str, None] = {}
    for line in text.splitlines(keepends=True):
        key, colon, value = line.partition(":")
        if key == "Tag" and colon:
            try:
                interpreter, abi, platform = value.strip().split("-")
            except ValueError as error:
                wrong = ascii(line.strip()[:80])
                raise ValueError(f"{wrong} is no tag like py3-none-any") from error
            end = line[len(line.rstrip("\r\n")) :]
            line = f"Tag: {interpreter}-{abi}-{raise_platforms(platform, glibc)}{end}"
        lines[line] = None
    return "".join(lines)
