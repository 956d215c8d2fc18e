# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that only root, or only another user, can run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

#: The user `nobody`.
NOBODY = 65534


def needs_root() -> None:
    """Skip where this is another user."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user and give files away")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Have the rights of an ordinary user for a while: root's are given up, others keep theirs."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)
