# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every NIC for NIXL: rail count and NIC set as backend parameters, and proof of their use."""

from nixl_stripe._core import Machine, __version__
from nixl_stripe.nic_pin import from_env
from nixl_stripe.planner import plan
from nixl_stripe.stripe_plan import StripePlan
from nixl_stripe.sysfs_capture import capture
from nixl_stripe.topology import machine

__all__ = ["Machine", "StripePlan", "__version__", "capture", "from_env", "machine", "plan"]
