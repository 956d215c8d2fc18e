# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A real transfer, then proof: the lanes that UCX chose and the bytes that NICs counted.

from nixl_stripe.verify import Request, TwoProcesses, verify

with TwoProcesses() as ground:
report = verify(Request(size=64 << 20), ground)
assert report.ok, report.describe()
"""

from nixl_stripe.verify.grounds import Ground, RdmaBed, TcpBed, TwoProcesses
from nixl_stripe.verify.request import Request
from nixl_stripe.verify.result import OpResult, Report
from nixl_stripe.verify.run import verify
from nixl_stripe.verify.two_hosts import Listener, TwoHosts

__all__ = [
    "Ground",
    "Listener",
    "OpResult",
    "RdmaBed",
    "Report",
    "Request",
    "TcpBed",
    "TwoHosts",
    "TwoProcesses",
    "verify",
]
