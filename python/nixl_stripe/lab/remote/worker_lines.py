# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the two workers of a case say to each other, as far as it comes over a network."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nixl_stripe.lab.remote import frames
from nixl_stripe.untrusted import Limits, read_json, schema

_LIMITS = Limits(size=frames.MAX_PAYLOAD, depth=2, items=64)
_HEX = schema.text(frames.MAX_PAYLOAD, "(?:[0-9a-f]{2})+", "bytes in hexadecimal digits")
_BARE = schema.record({"kind": schema.text(16)})
_LINES: Mapping[str, schema.Schema] = {
    "hello": schema.record({"kind": schema.text(16), "metadata": _HEX, "descs": _HEX}),
    "failed": schema.record({"kind": schema.text(16), "text": schema.lines(65_536)}),
    **dict.fromkeys(("ready", "done", "verdict", "over", "bye"), _BARE),
}


def checked_line(payload: bytes) -> bytes:
    """Return a line for the worker here, written anew; RefusedError for what is none."""
    message = read_json(payload, _LIMITS)
    kind = message.get("kind") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in _LINES:
        raise schema.refusal("a worker's kind", kind, ", ".join(_LINES))
    return json.dumps(_LINES[kind](message, kind)).encode() + b"\n"
