# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The one guard against what comes over the network, for every command that listens."""

from nixl_stripe.lab.remote.settings import (
    RefusedError,
    checked_environment,
    checked_params,
)

__all__ = ["RefusedError", "checked_environment", "checked_params"]
