# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Turns what users write as backend parameters into what NIXL takes: strings, per backend."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

#: The backend that scalar parameters are for.
DEFAULT_BACKEND = "UCX"

Params = dict[str, str]


def normalise(backend_params: Mapping[str, Any] | None) -> dict[str, Params]:
    """Return parameters per backend, as strings.

    A mapping of values is for UCX: `{"max_rma_rails": 4}`; a mapping of mappings is per backend:
    `{"UCX": {"max_rma_rails": 4}, "GDS": {...}}`. TypeError for a mixture of both, and for values
    that have no text; see `to_text`.
    """
    if backend_params is None:
        return {}
    if not isinstance(backend_params, Mapping):
        raise TypeError(f"backend_params must be a dict, not {type(backend_params).__name__}")
    nested = [isinstance(value, Mapping) for value in backend_params.values()]
    if not any(nested):
        params = normalise_one(backend_params)
        return {DEFAULT_BACKEND: params} if params else {}
    if not all(nested):
        scalar = next(k for k, v in backend_params.items() if not isinstance(v, Mapping))
        raise TypeError(
            f"backend_params: {scalar!r} is a value among backends; give either parameters of "
            f"{DEFAULT_BACKEND}, or a dict of parameters for every backend"
        )
    return {_name(backend): normalise_one(params) for backend, params in backend_params.items()}


def normalise_one(params: Mapping[str, Any] | None) -> Params:
    """Return one backend's parameters as strings; a value None leaves its key out."""
    return {
        _name(key): to_text(key, value)
        for key, value in (params or {}).items()
        if value is not None
    }


def to_text(key: str, value: Any) -> str:
    """Return a parameter's value as NIXL takes it.

    Text stays as it is, numbers in decimal, booleans `true` and `false`, lists and tuples of text
    joined by commas (`device_list`). TypeError names the key for anything else; ValueError for an
    empty list, which could mean none or all.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError(f"{key}={value!r}: empty; leave the parameter out, or name entries")
        for item in value:
            if not isinstance(item, str):
                raise TypeError(f"{key}={value!r}: entries must be text, not {type(item).__name__}")
        return ",".join(value)
    raise TypeError(
        f"{key}={value!r}: a backend parameter is text, a number, a bool, or a list of texts, "
        f"not {type(value).__name__}"
    )


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"backend_params: {key!r} is no name; names are text")
    return str.__str__(key)
