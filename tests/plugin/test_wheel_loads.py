# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""NIXL loads our built plugin from a folder patched in place, and from a rebuilt wheel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.wheel import PLUGIN, STOCK, build_wheel, find_in, status_of
from nixl_wheels import (
    NIXL_IDS,
    NIXL_VERSIONS,
    environment,
    module_name,
    plugin_folder,
    unpack,
    wheel_file,
)

WheelOf = Callable[[str, str], Path]

OPTIONS = """
from {module}._api import nixl_agent, nixl_agent_config
agent = nixl_agent("probe", nixl_agent_config(backends=[]))
print(" ".join(sorted(agent.get_plugin_params("UCX"))))
"""


def options_of(site: Path, fake_torch: Path, name: str) -> list[str]:
    """Return the parameters that the UCX backend of the NIXL in `site` advertises."""
    done = subprocess.run(
        [sys.executable, "-c", OPTIONS.format(module=module_name(name))],
        env=environment(site, fake_torch, UCX_MODULES="^ib"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_a_patched_folder_adds_our_parameters_to_the_stock_ones(
    unpacked: WheelOf, patched: WheelOf, fake_torch: Path, name: str, version: str
) -> None:
    stock, ours = unpacked(name, version), patched(name, version)
    before, after = (options_of(site, fake_torch, name) for site in (stock, ours))
    assert "max_rma_rails" not in before
    assert "max_rma_rails" in after
    assert set(before) <= set(after)
    (folder,) = find_in(ours)
    assert status_of(folder).is_patched
    original = (plugin_folder(stock, name) / PLUGIN).read_bytes()
    assert (folder.path / STOCK).read_bytes() == original


def test_a_rebuilt_wheel_loads_our_plugin(tmp_path: Path, fake_torch: Path) -> None:
    built = build_wheel(wheel_file("nixl-cu12", "1.5.1"), tmp_path / "out")
    site = unpack(built.path, tmp_path / "site")
    assert "max_rma_rails" in options_of(site, fake_torch, "nixl-cu12")
