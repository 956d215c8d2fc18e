# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of others: refused before it is parsed where it is too large, too deep or too many.

Python's own reader recurses by depth (RecursionError), takes numbers of any length, NaN, keys that
come twice, and bytes in several encodings. None of that is needed, so none of it is read.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from nixl_stripe.untrusted.schema import RefusedError

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')
_LONG_NUMBER = re.compile(rb"[0-9.eE+\-]{33}")
_DELETED = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class Limits:
    """size: bytes of the text. depth: of brackets. items: values and keys in all."""

    size: int
    depth: int = 8
    items: int = 50_000


def read_json(text: bytes, limits: Limits) -> Any:
    """Return the value of a JSON text; RefusedError where it is none or beyond the limits."""
    if len(text) > limits.size:
        raise RefusedError(f"{len(text)} bytes of JSON: accepted are at most {limits.size}")
    _check_shape(text, limits)
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are such
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise RefusedError(f"not JSON: {why}") from None


def _check_shape(text: bytes, limits: Limits) -> None:
    """Count brackets and commas outside of strings; linear, and with no recursion."""
    bare = _STRING.sub(b"0", _ESCAPE.sub(b"", text))
    if b'"' in bare:
        raise RefusedError("not JSON: a string without its end")
    items = bare.count(b",") + bare.count(b":") + bare.count(b"[") + bare.count(b"{")
    if items > limits.items:
        raise RefusedError(f"{items} values of JSON: accepted are at most {limits.items}")
    if _LONG_NUMBER.search(bare):
        raise RefusedError("a number of JSON: accepted are at most 32 characters")
    depth = 0
    for bracket in bare.translate(None, _DELETED):
        depth += 1 if bracket in b"[{" else -1
        if depth > limits.depth:
            raise RefusedError(f"JSON deeper than {limits.depth} levels")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key that comes twice")
    return found
