# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs transfer.py on one machine: its two ends on four rails of 400 Mbit/s, which end with it."""

import os
import secrets
import sys
from pathlib import Path

from nixl_stripe.lab import Rails

PROGRAM = [sys.executable, str(Path(__file__).with_name("transfer.py"))]

os.environ["NIXL_STRIPE_TOKEN"] = secrets.token_hex(16)
os.environ["UCX_TLS"] = "^sm,cuda_ipc"  # on one host UCX would take shared memory
with Rails(4, 400) as rails:
    ends = rails.run_programs(
        {"target": [*PROGRAM, "target"], "initiator": [*PROGRAM, "initiator", "10.77.0.2"]},
        limit_s=120,
    )
for role, end in ends.items():
    print(f"{role}, exit code {end.status}:\n{end.output}")
sys.exit(any(end.status for end in ends.values()))
