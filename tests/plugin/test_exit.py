# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A process with `stripe` in force exits well where the system's libraries crash stock NIXL."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.doctor import Surroundings, check_named, examine
from nixl_stripe.versions import NEWEST
from nixl_wheels import environment

WheelOf = Callable[[str, str], Path]

PROGRAM = """
import os, sys
from nixl_cu12._api import nixl_agent, nixl_agent_config
agent = nixl_agent("a", nixl_agent_config(backends=[]))
agent.create_backend("UCX", dict(word.split("=") for word in sys.argv[1:]))
print("MODULES", os.environ.get("UCX_MODULES"))
"""

pytestmark = pytest.mark.skipif(
    {name for _, name in socket.if_nameindex()} <= {"lo"},
    reason="stripe=all needs a network interface besides lo, and this machine has none",
)


def status(*sites: Path, params: tuple[str, ...] = (), **variables: str) -> int:
    """Return the exit status of a process that makes an agent; its work must have been done."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *params],
        env=environment(*sites, **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"MODULES {variables.get('UCX_MODULES')}" in done.stdout, done.stderr
    return done.returncode


def is_foretold(site: Path, **variables: str) -> bool:
    surroundings = Surroundings(search_path=[str(site)], environ=variables)
    (row,) = examine(surroundings, [check_named("exit")]).rows
    return row.status == "warn"


def test_stripe_exits_well(patched: WheelOf, fake_torch: Path) -> None:
    for version in (NEWEST, "1.3.2"):
        site = patched("nixl-cu12", version)
        assert status(site, fake_torch, params=("stripe=all",)) == 0
        assert not is_foretold(site)


def test_doctor_foretells_what_stock_does_bad_flow(stock: Path) -> None:
    crashes = is_foretold(stock)
    assert status(stock) == (-signal.SIGSEGV if crashes else 0)
    assert not is_foretold(stock, UCX_MODULES="^efa,rdmacm")


def test_a_users_own_modules_stay_bad_flow(stock: Path, striped: Path) -> None:
    expected = -signal.SIGSEGV if is_foretold(stock) else 0
    assert status(striped, params=("stripe=all",), UCX_MODULES="all") == expected
