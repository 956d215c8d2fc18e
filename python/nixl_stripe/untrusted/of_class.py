# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The schema of a dataclass, from its own annotations: one place says what a message holds."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from nixl_stripe.untrusted import schema
from nixl_stripe.untrusted.schema import Schema
from nixl_stripe.untrusted.text import several_lines

#: What an annotation alone does not say.
MAX_WHOLE, MAX_NUMBER = 1 << 60, 1e18
MAX_TEXT, MAX_ITEMS, MAX_KEYS = 4096, 65_536, 1024


def record_of(cls: type[Any], **given: Schema) -> Schema:
    """Return a record with every field of a dataclass; `given` replaces what annotations say.

    All keys are required, as `dataclasses.asdict` writes them, and no others are accepted.
    """
    return schema.record(fields_of(cls, **given))


def fields_of(cls: type[Any], **given: Schema) -> dict[str, Schema]:
    """Return the schemas of a dataclass's fields by name."""
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise TypeError(f"{cls.__name__} has no {', '.join(unknown)}")
    return {name: given.get(name) or schema_of(hints[name]) for name in names}


def anything(value: Any, where: str) -> Any:
    """Whatever the reader let pass, its texts without control characters."""
    if isinstance(value, dict):
        return {schema.text()(key, where): anything(each, where) for key, each in value.items()}
    if isinstance(value, list):
        return [anything(each, where) for each in value]
    return several_lines(value) if isinstance(value, str) else value


_PLAIN: Mapping[Any, Schema] = {
    bool: schema.flag,
    int: schema.whole(0, MAX_WHOLE),
    float: schema.number(0, MAX_NUMBER),
    str: schema.text(MAX_TEXT),
    type(None): schema.nothing,
    Any: anything,
}


def schema_of(annotation: Any) -> Schema:
    """Return the schema of an annotation; TypeError for one that needs a schema of its own."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return record_of(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return schema.choice(*arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return schema.sequence(schema_of(arguments[0]), MAX_ITEMS)
    if origin in (dict, Mapping) and arguments[0] is str:
        return schema.mapping(schema_of(arguments[1]), MAX_KEYS)
    if origin in (typing.Union, types.UnionType) and len(arguments) == 2:
        (other,) = (each for each in arguments if each is not type(None))
        return schema.maybe(schema_of(other))
    raise TypeError(f"{annotation}: no schema for it")
