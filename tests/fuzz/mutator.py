# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Changes inputs at random, always the same ones for a seed."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

#: Values that have broken readers: of other types, at limits, with what terminals act upon.
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1 << 31, 1 << 63, 10**31, -(10**31), 0.0, -0.0, 1e308, 5e-324),
    *("", "\x1b]0;x\x07", "\r\n", "\x00", "\ud800", "\u202e", "x" * 300, "x" * 5000, "NaN", "../x"),
    *([], {}, [[]], [None], {"": None}, {"a": {"a": {"a": {"a": {}}}}}, ["x"] * 300, "$(id)"),
)
#: Pieces of text that are no JSON, or much of it.
PIECES: tuple[bytes, ...] = (
    *(b"[", b"{", b"]", b"}", b'"', b"\\", b",", b":", b"\x00", b"\xff\xfe", b"NaN", b"1e999"),
    *(b"[" * 2000, b'{"a":' * 2000, b"9" * 4000, b'"' + b"x" * 4000, b"\\u0000", b"-", b"Infinity"),
    *(b"[]," * 3000, b"\\ud800", b"/**/", b"\xef\xbb\xbf", b" " * 3000, b"true", b"null"),
)


class Mutator:
    """A source of changed inputs; seed: the same one gives the same inputs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, value: Any) -> Any:
        """Return a copy of JSON data with one to three places changed."""
        result = copy.deepcopy(value)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            holder, key = self._place(result)
            if holder is None:
                return self.random.choice(HOSTILE)
            self._change(holder, key)
        return result

    def changed_bytes(self, data: bytes) -> bytes:
        """Return the bytes with one to four pieces changed, put in, taken out or doubled."""
        result = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randint(0, len(result))
            what = self.random.randrange(5)
            if what == 0 and result:
                result[at % len(result)] ^= 1 << self.random.randrange(8)
            elif what == 1:
                result[at:at] = self.random.choice(PIECES)
            elif what == 2:
                del result[at : at + self.random.randint(1, 40)]
            elif what == 3:
                result[at:at] = result[at : at + self.random.randint(1, 200)]
            else:
                result[at:] = self.random.randbytes(self.random.randint(0, 30))
        return bytes(result)

    def text(self, value: Any) -> bytes:
        """Return JSON text: of changed data, changed text, or both."""
        how = self.random.randrange(6)
        data = self.value(value) if how != 0 else value
        text = json.dumps(data, separators=(",", ":")).encode()
        return self.changed_bytes(text) if how in (0, 1) else text

    def _place(self, value: Any) -> tuple[Any, Any]:
        """Return a container and a key or index in it, None where there is no container."""
        holder, key = None, None
        while isinstance(value, (dict, list)) and value:
            holder = value
            keys = list(value) if isinstance(value, dict) else range(len(value))
            key = self.random.choice(keys)
            value = value[key]
            if self.random.random() < 0.3:
                break
        return holder, key

    def _change(self, holder: Any, key: Any) -> None:
        what = self.random.randrange(5)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[str(self.random.choice(HOSTILE))[:40]] = holder.pop(key)
        elif what == 2 and isinstance(holder, list):
            holder.extend([holder[key]] * self.random.choice((1, 10, 300)))
        elif what == 3:
            holder[key] = [holder[key]]
        else:
            old = holder[key]
            kind = type(old) if self.random.random() < 0.7 else object
            alike = [each for each in HOSTILE if isinstance(each, kind)]
            if isinstance(old, str) and old and self.random.random() < 0.5:
                alike = [old[::-1], old[1:], old * 2, old + "\x1b[2J", old[:1] + "\n" + old]
            holder[key] = copy.deepcopy(self.random.choice(alike or HOSTILE))
