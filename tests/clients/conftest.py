# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Tests with the programs that people run: they need torch and more.

`scripts/test-clients` makes an environment and runs them there. Without it they are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import Rails, fake_cuda

ROOT = Path(__file__).parents[2]
#: Mbit/s of each rail: four of them need a small part of one core.
MBIT = 200

#: Set by scripts/test-clients, in whose environment the clients are.
_SELECTED = os.environ.get("NIXL_STRIPE_CLIENTS") == "1"
if not _SELECTED:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header() -> str:
    """Say what is left out."""
    state = "selected" if _SELECTED else "LEFT OUT (scripts/test-clients runs them)"
    return f"tests with real clients: {state}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.clients)


@pytest.fixture(scope="session")
def cache() -> Path:
    """A folder that is kept between runs."""
    folder = ROOT / ".cache" / "clients"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def gpu(fake_driver: Path) -> dict[str, str]:
    """Variables with which a process takes host memory for that of a GPU."""
    return fake_cuda.environment(fake_driver, ["0000:00:05.0"])


@pytest.fixture(scope="module")
def rails(needs_rails: None) -> Iterator[Rails]:
    """Four rails between two namespaces."""
    with Rails(count=4, mbit=MBIT) as bed:
        yield bed
