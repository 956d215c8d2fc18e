# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every NIC for NIXL: rail count and NIC set as UCX backend parameters, and proof that they were used."""

from nixl_stripe._core import __version__

__all__ = ["__version__"]
