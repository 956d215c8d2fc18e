# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The public name of `nixl_stripe.memory.cold_move`."""

from nixl_stripe.memory.cold_move import Portion, portions_of, register_and_move

__all__ = ["Portion", "portions_of", "register_and_move"]
