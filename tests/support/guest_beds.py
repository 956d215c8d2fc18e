# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Guests for tests: what they boot from is kept in the repository's cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.lab import Outcome
from nixl_stripe.lab.guests import Guests, prepare
from nixl_stripe.lab.job import OPS, Op

CACHE = Path(__file__).parents[2] / ".cache" / "guests"


def ready_or_skip() -> None:
    """Get what guests need; skips, with the reason, where it cannot be had."""
    try:
        prepare(CACHE)
    except StripeError as error:
        pytest.skip(str(error))


def booted(**how: Any) -> Guests:
    """Return two running guests; skips as `ready_or_skip` does."""
    ready_or_skip()
    return Guests(cache=CACHE, boot_limit_s=180, warm=True, **how)


def percent(outcome: Outcome) -> list[float]:
    """Return the share of each NIC in per cent."""
    return [100 * part for part in outcome.share.values()]


def both_ways(bed: Guests, **how: Any) -> dict[Op, Outcome]:
    """READ and WRITE 1 MiB with the same agents; every byte was checked in both."""
    outcome = bed.transfer(**{"sizes": [1 << 20], **how}, op="READ", then="WRITE").require()
    return {op: outcome.of_op(op).require() for op in OPS}


def assert_shares(bed: Guests, wanted: list[float], **how: Any) -> None:
    """Assert what each NIC carries of a READ and of a WRITE, in per cent, within 2."""
    for op, outcome in both_ways(bed, **how).items():
        assert percent(outcome) == pytest.approx(wanted, abs=2), op
