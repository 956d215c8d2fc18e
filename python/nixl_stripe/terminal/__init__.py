# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What people read on a terminal or in a file: colours where they are wanted, tables, progress."""

from nixl_stripe.terminal.live import Live
from nixl_stripe.terminal.progress import progress
from nixl_stripe.terminal.screen import Screen, echo
from nixl_stripe.terminal.table import Cell, table

__all__ = ["Cell", "Live", "Screen", "echo", "progress", "table"]
