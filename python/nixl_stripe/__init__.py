# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every NIC for NIXL: rail count and NIC set as backend parameters, and proof of their use."""

from nixl_stripe._core import __version__

__all__ = ["__version__"]
