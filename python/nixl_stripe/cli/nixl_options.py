# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Options of commands that move bytes through NIXL: which one, and with which parameters."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nixl_stripe.agents.nixl_api import PACKAGES
from nixl_stripe.errors import StripeError, UsageError

if TYPE_CHECKING:
    from nixl_stripe.lab.job import Nixl


def pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """Return what KEY=VALUE gives; UsageError names the option."""
    found = {}
    for text in given or ():
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise UsageError(f"{option} {text!r}: accepted is KEY=VALUE")
        found[key] = value
    return found


def which_nixl(given: Sequence[str] | None, verb: str) -> Nixl:
    """Return the NIXL that `--nixl` names or that is importable; an error says what is missing."""
    if importlib.util.find_spec("numpy") is None:
        raise StripeError(f"{verb} needs numpy: pip install 'nixl-stripe[lab]'")
    from nixl_stripe.lab.job import Nixl

    try:
        which = Nixl.find(given)
    except ValueError as error:
        raise UsageError(f"--nixl: {error}") from error
    if not which.paths and not any(
        importlib.util.find_spec(name) for name in ([which.package] if which.package else PACKAGES)
    ):
        raise StripeError(
            f"{verb} needs NIXL: no {which.package or ' or '.join(PACKAGES)} in {sys.executable}'s "
            "packages; pip install nixl, or name a folder with --nixl"
        )
    return which
