# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Fields of METADATA, found in time that grows with its size (core metadata specification).

Python's own reader of such headers takes a second for a megabyte of short lines.
"""

from __future__ import annotations

import re

#: Bytes of a METADATA; NIXL's own has some ten thousand.
LARGEST = 1 << 20
_LINE_END = rb"(?:\r\n|\r(?!\n)|\n)"
_END = re.compile(rb"(?:\A|" + _LINE_END + rb")" + _LINE_END)


def values_of(metadata: bytes, field: str) -> list[str]:
    """Return the values of a field, each of one line, in their order; [] where it has none."""
    found = _pattern(field).findall(_head(metadata))
    return [value.decode("utf-8", "replace").strip() for _, value in found]


def with_value(metadata: bytes, field: str, value: str) -> bytes:
    """Return METADATA with another value of a field, the first where there are several."""
    head = _head(metadata)
    new = rb"\g<1> " + value.encode("ascii")
    return _pattern(field).sub(new, head, count=1) + metadata[len(head) :]


def _head(metadata: bytes) -> bytes:
    """Return what stands before the first empty line, behind which there is a description."""
    gap = _END.search(metadata)
    return metadata[: gap.start()] if gap else metadata


def _pattern(field: str) -> re.Pattern[bytes]:
    name = re.escape(field.encode("ascii"))
    return re.compile(rb"((?:\A|(?<=[\r\n]))" + name + rb"[ \t]*:)([^\r\n]*)", re.IGNORECASE)
