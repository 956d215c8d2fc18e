# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every NIC for NIXL: rail count and NIC set as backend parameters, and proof of their use."""

from nixl_stripe._core import Machine, __version__
from nixl_stripe.sysfs_capture import capture
from nixl_stripe.topology import machine

__all__ = ["Machine", "__version__", "capture", "machine"]
