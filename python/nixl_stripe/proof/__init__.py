# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Proof that NICs carried data: byte counters per NIC, and an assertion for tests."""

from nixl_stripe.proof.sources import NicNotFoundError, NicTraffic, all_nics
from nixl_stripe.proof.striped import assert_striped
from nixl_stripe.proof.traffic import Counters, counters

__all__ = [
    "Counters",
    "NicNotFoundError",
    "NicTraffic",
    "all_nics",
    "assert_striped",
    "counters",
]
