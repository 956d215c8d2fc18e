# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""How results name the kernel that they were measured on."""

from __future__ import annotations

import platform


def kernel_release() -> str:
    """Return the kernel's version without its build, e.g. "6.18": builds name who made them."""
    return ".".join(platform.release().split(".")[:2])
