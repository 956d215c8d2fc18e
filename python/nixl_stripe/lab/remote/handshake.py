# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How two sides that share a token begin: fresh keys for this connection, and proof of the token.

The connecting side says which protocol it speaks and 32 random bytes; the listening side answers
with 32 of its own. Keys are HMACs of both with the token's key. Then the connecting side proves the
token by its first frame, before the listener has said anything that depends on it.
"""

from __future__ import annotations

import hmac
import secrets

from nixl_stripe.lab.remote.frames import Opener, Sealer
from nixl_stripe.untrusted import RefusedError

#: Changes with the protocol, and with every message that the other side would not understand.
PROTOCOL = b"nixl-stripe link 2\n"
NONCE_BYTES = 32
OPENING_BYTES = len(PROTOCOL) + NONCE_BYTES
#: Bytes of the first message, of somebody who has proven nothing yet.
FIRST_LIMIT = 1024


def nonce() -> bytes:
    """Return fresh random bytes."""
    return secrets.token_bytes(NONCE_BYTES)


def opening(mine: bytes) -> bytes:
    """Return what the connecting side says first."""
    return PROTOCOL + mine


def read_opening(got: bytes) -> bytes | None:
    """Return the connecting side's nonce, None while it is not whole; RefusedError."""
    if got[: len(PROTOCOL)] != PROTOCOL[: len(got)]:
        raise RefusedError("it does not speak this nixl-stripe's protocol")
    if len(got) > OPENING_BYTES:
        raise RefusedError("it speaks before it was answered")
    return got[len(PROTOCOL) :] if len(got) == OPENING_BYTES else None


def keys(token_key: bytes, connecting: bytes, listening: bytes) -> tuple[bytes, bytes]:
    """Return the keys for what the connecting side sends and for what the listening side sends."""
    session = hmac.digest(token_key, PROTOCOL + connecting + listening, "sha256")
    first = hmac.digest(session, b"from the connecting side", "sha256")
    return first, hmac.digest(session, b"from the listening side", "sha256")


def as_connecting(token_key: bytes, mine: bytes, theirs: bytes) -> tuple[Sealer, Opener]:
    """Return the connecting side's ends."""
    out, back = keys(token_key, mine, theirs)
    return Sealer(out), Opener(back)


def as_listening(token_key: bytes, mine: bytes, theirs: bytes) -> tuple[Sealer, Opener]:
    """Return the listening side's ends; the first frame may hold FIRST_LIMIT bytes."""
    back, out = keys(token_key, theirs, mine)
    return Sealer(out), Opener(back, FIRST_LIMIT)
