# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The command `nixl-stripe`: one module per verb, which registers itself on the application."""

from nixl_stripe.cli.app import main

__all__ = ["main"]
