# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which of two versions of nixl-stripe is the newer one: a plugin's and this package's."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version


def is_newer(version: str | None, than: str) -> bool:
    """Whether `version` comes after `than`; False where either cannot be told."""
    try:
        return version is not None and Version(version) > Version(than)
    except InvalidVersion:
        return False
