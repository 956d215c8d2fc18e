# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every check, in the order in which they are run and documented."""

from __future__ import annotations

from nixl_stripe.doctor import access, drivers, ending, fabric, gpu, nics, nixl, variables
from nixl_stripe.doctor.check import Check
from nixl_stripe.errors import UsageError

CHECKS: tuple[Check, ...] = (
    *nixl.CHECKS,
    *variables.CHECKS,
    *nics.CHECKS,
    *drivers.CHECKS,
    *fabric.CHECKS,
    *access.CHECKS,
    *gpu.CHECKS,
    *ending.CHECKS,
)


def check_named(name: str) -> Check:
    """Return the check of that name; UsageError lists the names."""
    for check in CHECKS:
        if check.name == name:
            return check
    raise UsageError(f"--only {name}: accepted: {', '.join(check.name for check in CHECKS)}")
