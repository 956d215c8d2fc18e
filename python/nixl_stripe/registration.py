# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The public name of `nixl_stripe.memory.registration`."""

from nixl_stripe.memory.blocks import Span, allocations
from nixl_stripe.memory.registration import (
    Registration,
    coalesce,
    regions_of,
    register,
    sliced,
)

__all__ = ["Registration", "Span", "allocations", "coalesce", "regions_of", "register", "sliced"]
