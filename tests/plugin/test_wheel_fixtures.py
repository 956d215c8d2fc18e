# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The fixtures hold what they promise: every NIXL imports, and so does its UCX plugin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS, environment, module_name, plugin_folder, wheel_file

OPTIONS = """
from {module}._api import nixl_agent, nixl_agent_config
agent = nixl_agent("probe", nixl_agent_config(backends=[]))
print(sorted(agent.get_plugin_params("UCX")))
"""


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_an_unpacked_nixl_loads_its_ucx_plugin(
    unpacked: Callable[[str, str], Path], fake_torch: Path, name: str, version: str
) -> None:
    site = unpacked(name, version)
    assert (plugin_folder(site, name) / "libplugin_UCX.so").is_file()
    done = subprocess.run(
        [sys.executable, "-c", OPTIONS.format(module=module_name(name))],
        env=environment(site, fake_torch, UCX_MODULES="^ib"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'ucx_devices'" in done.stdout or "'device_list'" in done.stdout, done.stdout


def test_a_version_that_does_not_exist_is_an_error_in_pips_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIXL_STRIPE_WHEEL_CACHE", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"(?s)nixl-cu12==0\.0\.0.*No matching distribution"):
        wheel_file("nixl-cu12", "0.0.0")
