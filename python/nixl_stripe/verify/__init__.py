# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A real transfer, then proof: the lanes that UCX chose and the bytes that NICs counted.

from nixl_stripe.verify import Request, TwoProcesses, verify

with TwoProcesses() as bed:
    report = verify(Request(size=64 << 20), bed)
assert report.ok, report.describe()
"""

from nixl_stripe.lab.beds.processes import TwoProcesses
from nixl_stripe.verify.request import Request
from nixl_stripe.verify.result import OpResult, Report
from nixl_stripe.verify.run import verify
from nixl_stripe.verify.two_hosts import Listener, TwoHosts

__all__ = [
    "Listener",
    "OpResult",
    "Report",
    "Request",
    "TwoHosts",
    "TwoProcesses",
    "verify",
]
