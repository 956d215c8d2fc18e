# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a shared object says about itself, read from its bytes: nothing is ever loaded to ask."""

from __future__ import annotations

import itertools
import re
import struct
from dataclasses import dataclass

#: ELF header: magic, class, byte order, version, ABI, padding, type, machine (System V gABI).
_HEADER = struct.Struct("<4sBBBB8xHH")
_ELF64, _LITTLE_ENDIAN, _SHARED_OBJECT = 2, 1, 3
_MACHINES = {62: "x86_64", 183: "aarch64"}

#: Names in a string table stand between NUL bytes.
_ENTRY_POINT = b"\0nixl_plugin_init\0"
_GLIBC = re.compile(rb"\0GLIBC_(\d{1,4})\.(\d{1,4})(?=[.\0])")
#: Of these names; a library needs some dozen.
_MOST_NAMES = 10_000
#: The text behind the exported symbol `nixl_stripe_plugin_version` of every plugin of ours.
_MARKER = re.compile(rb"nixl-stripe-plugin-version:([0-9A-Za-z.+_-]{1,64})\0")


@dataclass(frozen=True)
class SharedObject:
    """The facts about one shared object that decide whether it can be wrapped or put to use."""

    machine: str
    """`x86_64` or `aarch64`, as in wheel tags; `machine <number>` for any other."""
    is_nixl_plugin: bool
    """It names NIXL's entry point `nixl_plugin_init`."""
    stripe_version: str | None
    """The nixl-stripe that it comes from, None for a stock plugin."""
    glibc: tuple[int, int] | None
    """The newest glibc whose symbols it needs, None when it needs none."""


def read_shared_object(data: bytes) -> SharedObject | None:
    """Describe the shared object whose bytes are `data`; None when it is not a 64-bit ELF one."""
    if len(data) < _HEADER.size:
        return None
    magic, word_size, byte_order, _, _, kind, machine = _HEADER.unpack_from(data)
    if (magic, word_size, byte_order, kind) != (b"\x7fELF", _ELF64, _LITTLE_ENDIAN, _SHARED_OBJECT):
        return None
    marker = _MARKER.search(data)
    names = itertools.islice(_GLIBC.finditer(data), _MOST_NAMES)
    needed = [(int(name[1]), int(name[2])) for name in names]
    return SharedObject(
        machine=_MACHINES.get(machine, f"machine {machine}"),
        is_nixl_plugin=_ENTRY_POINT in data,
        stripe_version=marker.group(1).decode() if marker else None,
        glibc=max(needed, default=None),
    )
