# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rate limited TCP rails: veth pairs in network namespaces of their own."""

from nixl_stripe.lab.rails.rails import Rails, clean_environment, rail_environment, why_not

__all__ = ["Rails", "clean_environment", "rail_environment", "why_not"]
