# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Words that all verbs share: one name for an option, one grammar for sizes, one for machines."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from nixl_stripe.cli.command import Option
from nixl_stripe.errors import UsageError
from nixl_stripe.proof.text import parse_size, size_words
from nixl_stripe.topo.examples import NAMES as EXAMPLES
from nixl_stripe.topo.examples import path_of
from nixl_stripe.versions import JSON_SCHEMA

#: Other names of options, without dashes: nixlbench's, and older ones of this command.
ALIASES = {
    "rails": "nics",
    "max-block-size": "size",
    "total-buffer-size": "size",
    "start-block-size": "start-size",
    "num-iter": "repeats",
    "warmup-iter": "warmup",
    "op-type": "op",
    "params": "param",
}


def json_text(data: Mapping[str, Any], indent: int | None = 2) -> str:
    """Return what `--json` prints: the data, with the number of its schema."""
    text = json.dumps({"schema": JSON_SCHEMA, **data}, indent=indent)
    return text.replace("\x7f", r"\u007f")  # the one control character that JSON leaves as it is


def canonical(name: str) -> str:
    """Return the name of an option that was given by any of its names; `_` counts as `-`."""
    name = name.replace("_", "-")
    return ALIASES.get(name, name)


def check_writable(option: str, folder: Path) -> None:
    """Raise UsageError where no file can come into a folder, which may be still to make."""
    whole = folder.absolute()
    there = next(each for each in (whole, *whole.parents) if each.exists())
    if not there.is_dir():
        raise UsageError(f"{option} {folder}: {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {folder}: nothing may be written into {there}")


def size_option(name: str, about: str) -> Any:
    """Return an option that takes bytes as `parse_size` does; a UsageError names it."""

    def parse(text: str | int) -> int:
        try:
            return parse_size(str(text), name)
        except ValueError as error:
            raise UsageError(str(error)) from error

    return Option(name, metavar="SIZE", parser=parse, writer=size_words, help=about)


Source = Annotated[
    Path | None,
    Option(
        "--source",
        metavar="PATH",
        help="Another machine: a copied sysfs root, a saved .tar.gz, an hwloc XML or an NCCL "
        "topology XML. Default: this machine.",
    ),
]

Example = Annotated[
    str | None,
    Option(
        "--example",
        metavar="NAME",
        help=f"A machine to look at without having it: {', '.join(EXAMPLES)}.",
    ),
]


def machine_source(source: Path | None, example: str | None) -> Path | None:
    """Return where to read the machine from; UsageError where both are given."""
    if example is None:
        return source
    if source is not None:
        raise UsageError("--example and --source exclude each other")
    return path_of(example)
