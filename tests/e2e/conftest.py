# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Beds for end-to-end tests. Rates are low, so that a busy machine shows the same ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import Rails, why_not
from nixl_stripe.versions import NEWEST

#: Mbit/s of each rail: four of them need a small part of one core.
MBIT = 200


@pytest.fixture(scope="module")
def rails() -> Iterator[Rails]:
    """Four rails between two namespaces."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with Rails(count=4, mbit=MBIT) as bed:
        yield bed


@pytest.fixture(scope="session")
def stock(unpacked: Callable[[str, str], Path]) -> Path:
    """A folder with the stock nixl-cu12 1.5.1."""
    return unpacked("nixl-cu12", NEWEST)


@pytest.fixture(scope="session")
def striped(patched: Callable[[str, str], Path]) -> Path:
    """A folder with the same NIXL, patched."""
    return patched("nixl-cu12", NEWEST)
