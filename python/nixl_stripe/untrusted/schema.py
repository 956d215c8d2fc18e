# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a value of others must be: types, ranges, keys. Checked values are safe to show.

A schema is called with a value and the name of its place, and returns the value, its texts without
control characters; RefusedError names the place, the value and what is accepted, in one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from nixl_stripe.errors import StripeError
from nixl_stripe.untrusted.text import one_line, several_lines

Schema = Callable[[Any, str], Any]


class RefusedError(StripeError):
    """What others sent is not accepted."""


def refusal(where: str, value: object, accepted: str) -> RefusedError:
    """Return the error for a value that is not accepted."""
    shown = repr(one_line(value, 60)) if isinstance(value, str) else _kind(value)
    return RefusedError(f"{one_line(where, 200)}={shown}: accepted is {accepted}")


def text(limit: int = 256, pattern: str | None = None, words: str = "") -> Schema:
    """Return the schema of one line of at most `limit` characters, all of the pattern's form."""
    compiled = None if pattern is None else re.compile(pattern, re.ASCII)
    accepted = words or f"a text of at most {limit} characters"

    def check(value: Any, where: str) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise refusal(where, value, accepted)
        if compiled is not None and compiled.fullmatch(value) is None:
            raise refusal(where, value, accepted)
        return one_line(value, 10 * limit)

    return check


def lines(limit: int) -> Schema:
    """Return the schema of several lines of at most `limit` characters in all."""

    def check(value: Any, where: str) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise refusal(where, value, f"a text of at most {limit} characters")
        return several_lines(value, limit)

    return check


def whole(least: int, most: int) -> Schema:
    """Return the schema of a whole number."""

    def check(value: Any, where: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise refusal(where, value, f"{least} to {most}")
        return value

    return check


def number(least: float, most: float) -> Schema:
    """Return the schema of a number; the reader has refused those that are not finite."""

    def check(value: Any, where: str) -> float:
        if type(value) not in (int, float) or not least <= value <= most:
            raise refusal(where, value, f"{least:g} to {most:g}")
        return float(value)

    return check


def flag(value: Any, where: str) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise refusal(where, value, "true or false")
    return value


def nothing(value: Any, where: str) -> None:
    """Accept no value."""
    if value is not None:
        raise refusal(where, value, "null")


def choice(*accepted: Any) -> Schema:
    """Return the schema of one of some values."""

    def check(value: Any, where: str) -> Any:
        for each in accepted:
            if type(value) is type(each) and value == each:
                return each
        raise refusal(where, value, ", ".join(str(each) for each in accepted))

    return check


def maybe(schema: Schema) -> Schema:
    """Return a schema that takes null as well."""
    return lambda value, where: None if value is None else schema(value, where)


def sequence(item: Schema, most: int) -> Schema:
    """Return the schema of a list of at most so many."""

    def check(value: Any, where: str) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) > most:
            raise refusal(where, value, f"a list of at most {most}")
        return [item(each, f"{where}[{index}]") for index, each in enumerate(value)]

    return check


def mapping(item: Schema, most: int = 256, key: Schema | None = None) -> Schema:
    """Return the schema of an object with any keys (what `key` takes), at most so many."""
    check_key = key or text(256)

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > most:
            raise refusal(where, value, f"an object of at most {most} keys")
        return {
            check_key(name, f"a key of {where}"): item(each, f"{where}.{name}")
            for name, each in value.items()
        }

    return check


def record(
    required: Mapping[str, Schema],
    optional: Mapping[str, Schema] | None = None,
    *,
    others: bool = False,
) -> Schema:
    """Return the schema of an object with these keys.

    others: keys that are not known are passed over, not refused.
    """
    known = {**required, **(optional or {})}

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise refusal(where, value, f"an object with {', '.join(required)}")
        for name in required:
            if name not in value:
                raise RefusedError(f"{one_line(where, 200)}: {name} is missing")
        for name in value:
            if name not in known and not others:
                raise refusal(where, name, f"the keys {', '.join(known)}")
        return {
            name: schema(value[name], f"{where}.{name}")
            for name, schema in known.items()
            if name in value
        }

    return check


def _kind(value: object) -> str:
    if isinstance(value, (bool, int, float)) or value is None:
        return one_line(repr(value), 40)
    return type(value).__name__
