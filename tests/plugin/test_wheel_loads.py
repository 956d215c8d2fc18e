# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""NIXL loads our built plugin from a folder patched in place, and from a rebuilt wheel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import PLUGIN, STOCK, build_wheel, find_in, status_of
from nixl_wheels import (
    NIXL_IDS,
    NIXL_VERSIONS,
    plugin_folder,
    ucx_options,
    unpack,
    wheel_file,
)

WheelOf = Callable[[str, str], Path]


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_a_patched_folder_adds_our_parameters_to_the_stock_ones(
    unpacked: WheelOf, patched: WheelOf, fake_torch: Path, name: str, version: str
) -> None:
    stock, ours = unpacked(name, version), patched(name, version)
    before, after = (ucx_options(site, fake_torch, name) for site in (stock, ours))
    assert "max_rma_rails" not in before
    assert "max_rma_rails" in after
    assert set(before) <= set(after)
    (folder,) = find_in(ours)
    assert status_of(folder).is_patched
    original = (plugin_folder(stock, name) / PLUGIN).read_bytes()
    assert (folder.path / STOCK).read_bytes() == original


def test_a_rebuilt_wheel_loads_our_plugin(tmp_path: Path, fake_torch: Path) -> None:
    built = build_wheel(wheel_file("nixl-cu12", NEWEST), tmp_path / "out")
    site = unpack(built.path, tmp_path / "site")
    assert "max_rma_rails" in ucx_options(site, fake_torch, "nixl-cu12")
