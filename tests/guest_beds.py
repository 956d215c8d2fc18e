# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Guests for tests: what they boot from is kept in the repository's cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.lab.guests import Guests, prepare

CACHE = Path(__file__).parents[1] / ".cache" / "guests"


def ready_or_skip() -> None:
    """Get what guests need; skips, with the reason, where it cannot be had."""
    try:
        prepare(CACHE)
    except StripeError as error:
        pytest.skip(str(error))


def booted(**how: Any) -> Guests:
    """Return two running guests; skips as `ready_or_skip` does."""
    ready_or_skip()
    return Guests(cache=CACHE, boot_limit_s=180, **how)
