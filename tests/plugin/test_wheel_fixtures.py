# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The fixtures hold what they promise: every NIXL imports, and so does its UCX plugin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS, plugin_folder, ucx_options, wheel_file


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_an_unpacked_nixl_loads_its_ucx_plugin(
    unpacked: Callable[[str, str], Path], fake_torch: Path, name: str, version: str
) -> None:
    site = unpacked(name, version)
    assert (plugin_folder(site, name) / "libplugin_UCX.so").is_file()
    options = ucx_options(site, fake_torch, name)
    assert {"ucx_devices", "device_list"} & set(options), options


def test_a_version_that_does_not_exist_is_an_error_in_pips_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIXL_STRIPE_WHEEL_CACHE", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"(?s)nixl-cu12==0\.0\.0.*No matching distribution"):
        wheel_file("nixl-cu12", "0.0.0")
