# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How bytes go over the link: frames with a length, and a code that proves who made them.

A frame is its kind (one byte), its length (four), the payload, and HMAC-SHA256 over the number of
the frame and all of these, with a key of its own for each direction of each connection. So a frame
that was changed, cut, sent again, left out, put elsewhere, turned back to its sender or taken from
another connection is not accepted, and the connection ends there.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from nixl_stripe.untrusted import RefusedError

_HEAD = struct.Struct(">cI")
_NUMBER = struct.Struct(">Q")
CODE_BYTES = hashlib.sha256().digest_size
#: Bytes of a payload at most: metadata and descriptors of some ten thousand buffers.
MAX_PAYLOAD = 8 << 20

MESSAGE, WORKER_LINE = b"M", b"W"
_KINDS = (MESSAGE, WORKER_LINE)


@dataclass(frozen=True)
class Frame:
    """A payload and what it is."""

    kind: bytes
    payload: bytes


class Sealer:
    """Makes frames, one after the other."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._number = 0

    def seal(self, kind: bytes, payload: bytes) -> bytes:
        """Return the next frame; RefusedError for a payload that the other side would refuse."""
        if len(payload) > MAX_PAYLOAD:
            raise RefusedError(
                f"a message of {len(payload)} bytes: accepted are at most {MAX_PAYLOAD}"
            )
        body = _HEAD.pack(kind, len(payload)) + payload
        code = _code(self._key, self._number, body)
        self._number += 1
        return body + code


class Opener:
    """Takes frames out of the bytes that come; limit: bytes of one payload."""

    def __init__(self, key: bytes, limit: int = MAX_PAYLOAD) -> None:
        self._key = key
        self._limit = limit
        self._number = 0
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[Frame]:
        """Return the frames that are whole now; RefusedError at the first that is not genuine."""
        self._rest += piece
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    def allow(self, limit: int = MAX_PAYLOAD) -> None:
        """Take payloads of so many bytes from now on."""
        self._limit = limit

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._rest)

    def _next(self) -> Frame | None:
        if len(self._rest) < _HEAD.size:
            return None
        kind, size = _HEAD.unpack_from(self._rest)
        if kind not in _KINDS or size > self._limit:
            raise RefusedError(f"a frame of {size} bytes: accepted are at most {self._limit}")
        end = _HEAD.size + size
        if len(self._rest) < end + CODE_BYTES:
            return None
        body, code = bytes(self._rest[:end]), bytes(self._rest[end : end + CODE_BYTES])
        if not hmac.compare_digest(code, _code(self._key, self._number, body)):
            raise RefusedError("a frame that the other side did not make, or not now")
        del self._rest[: end + CODE_BYTES]
        self._number += 1
        return Frame(kind, body[_HEAD.size :])


def _code(key: bytes, number: int, body: bytes) -> bytes:
    return hmac.digest(key, _NUMBER.pack(number) + body, "sha256")
