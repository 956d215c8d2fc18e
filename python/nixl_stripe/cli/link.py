# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The options of commands that listen or connect, the same for all of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nixl_stripe.cli.command import Option
from nixl_stripe.cli.words import size_option

if TYPE_CHECKING:
    from nixl_stripe.lab.remote import Token

TokenFile = Annotated[
    Path | None,
    Option(
        "--token-file",
        metavar="FILE",
        help="Two hosts: the listener's secret; else NIXL_STRIPE_TOKEN[_FILE].",
    ),
]
MaxBytes = Annotated[
    int | None,
    size_option("--max-bytes", "With --listen: what a peer's case may move [256G]."),
]


def listener_token(file: Path | None) -> Token:
    """Return the token that is given, or a fresh one, which is printed on standard error."""
    from nixl_stripe.lab.remote import Token

    token = Token.find(file)
    if token is None:
        token = Token.generate()
        print(f"token for --connect (NIXL_STRIPE_TOKEN): {token.text}", file=sys.stderr, flush=True)
    return token


def connecting_token(file: Path | None) -> Token:
    """Return the token that is given; UsageError where none is."""
    from nixl_stripe.lab.remote import Token

    return Token.require(file)


def max_bytes(given: int | None) -> int:
    """Return `--max-bytes` or its default."""
    from nixl_stripe.lab.remote.bounds import DEFAULT_MAX_BYTES

    return DEFAULT_MAX_BYTES if given is None else given
