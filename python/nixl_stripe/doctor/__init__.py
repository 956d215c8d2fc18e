# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What keeps this machine from using every NIC, and the line that fixes it."""

from nixl_stripe.doctor.catalogue import CHECKS, check_named
from nixl_stripe.doctor.check import Check, Status, Verdict
from nixl_stripe.doctor.report import Report, Row, examine
from nixl_stripe.doctor.surroundings import Limits, Surroundings

__all__ = [
    "CHECKS",
    "Check",
    "Limits",
    "Report",
    "Row",
    "Status",
    "Surroundings",
    "Verdict",
    "check_named",
    "examine",
]
