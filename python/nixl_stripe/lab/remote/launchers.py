# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What launchers of jobs say in variables, as far as one rank has to find another."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nixl_stripe.errors import UsageError


def first_node(nodes: str) -> str:
    """Return the first host of a Slurm node list: `gpu[07-09,11],x` is `gpu07`; UsageError.

    `scontrol show hostnames` does all of that grammar; the first name needs this part of it.
    """
    found = re.match(r"([^,\[\]]*)(?:\[(\w+)[^\]]*\]([^,\[\]]*))?", nodes.strip())
    name = "".join(part or "" for part in found.groups()) if found else ""
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise UsageError(f"the node list {nodes!r} names no host")
    return name


def whole_number(environ: Mapping[str, str], name: str) -> int:
    """Return what a variable holds; UsageError where that is no whole number."""
    text = environ.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f"{name}={text!r}: accepted is a whole number")
    return int(text)
