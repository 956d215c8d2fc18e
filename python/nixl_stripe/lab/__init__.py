# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Test beds without hardware: rails in network namespaces, RDMA guests."""

from nixl_stripe.lab.availability import LabUnavailableError
from nixl_stripe.lab.job import Job, Nixl
from nixl_stripe.lab.outcome import Outcome, SideError, SideReport, TransferFailedError
from nixl_stripe.lab.rails.holder import LabError
from nixl_stripe.lab.rails.rails import Rails, why_not

__all__ = [
    "Job",
    "LabError",
    "LabUnavailableError",
    "Nixl",
    "Outcome",
    "Rails",
    "SideError",
    "SideReport",
    "TransferFailedError",
    "why_not",
]
