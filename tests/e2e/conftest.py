# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Beds for end-to-end tests. Rates are low, so that a busy machine shows the same ratios."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nixl_stripe.lab import Rails

#: Mbit/s of each rail: four of them need a small part of one core.
MBIT = 200


@pytest.fixture(scope="module")
def rails(needs_rails: None) -> Iterator[Rails]:
    """Four rails between two namespaces."""
    with Rails(count=4, mbit=MBIT) as bed:
        yield bed
