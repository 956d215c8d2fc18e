# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Plugin and package of different versions, old wheels under new ones: recognised and said."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_plugins import untrue_rows
from nixl_stripe.cli import main
from nixl_stripe.doctor import Surroundings, check_named, examine
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import PLUGIN, build_wheel, find_in, patch_folder, plugin_path, status_of
from nixl_stripe.wheel.layout import plugin_version
from nixl_stripe.wheel.loading import plugin_options
from nixl_wheels import run_program
from pip_environment import Environment

WheelOf = Callable[[str, str], Path]
Capture = pytest.CaptureFixture[str]
OLDER, NEWER = "0.0.9", "9.9.9"


@pytest.fixture
def site(tmp_path: Path, unpacked: WheelOf) -> Path:
    """A stock NIXL of its own, hard links into the shared one."""
    copy = tmp_path / "site"
    shutil.copytree(unpacked("nixl-cu12", NEWEST), copy, copy_function=os.link)
    return copy


def another(folder: Path, version: str) -> Path:
    """Return our plugin with another version number in it, which takes as many characters."""
    data, count = re.subn(
        rb"(nixl-stripe-plugin-version:)\d\.\d\.\d\0",
        lambda found: found[1] + version.encode() + b"\0",
        plugin_path().read_bytes(),
    )
    assert count == 1
    path = folder / f"plugin-{version}.so"
    path.write_bytes(data)
    assert plugin_version(path) == version
    return path


AGENTS = """
import os, sys, warnings
warnings.simplefilter("always")
shown = []
warnings.showwarning = lambda message, category, *_: shown.append(f"{category.__name__}: {message}")
from nixl_stripe import nixl_agent, nixl_agent_config
for name in ("one", "two"):
    params = {"max_rma_rails": 2} if "ours" in sys.argv else {}
    agent = nixl_agent(name, nixl_agent_config(backend_params=params))
for line in shown:
    if "PluginVersionWarning" in line:
        print("SAID", line)
sys.stdout.flush()
os._exit(0)
"""


def warnings_of(site: Path, *arguments: str) -> list[str]:
    done = run_program(AGENTS, *arguments, sites=[site], UCX_TLS="tcp", UCX_MODULES="^ib")
    said = [line for line in done.stdout.splitlines() if line.startswith("SAID ")]
    return [line.removeprefix("SAID ") for line in said]


@pytest.mark.parametrize("version", [OLDER, NEWER])
def test_agents_warn_once_of_a_plugin_of_another_version(
    tmp_path: Path, site: Path, version: str
) -> None:
    (folder,) = find_in(site)
    patch_folder(folder, another(tmp_path, version))
    (warning,) = warnings_of(site, "ours")
    assert warning.startswith(
        f"PluginVersionWarning: NIXL's UCX plugin is that of nixl-stripe {version}, this package"
    )
    assert f"Run: nixl-stripe patch {site}" in warning
    assert warnings_of(site) == []  # nothing of ours is asked for
    patch_folder(folder)
    assert warnings_of(site, "ours") == []


def test_an_older_plugin_is_updated_and_a_newer_one_is_said(
    tmp_path: Path, site: Path, capsys: Capture
) -> None:
    (folder,) = find_in(site)
    patch_folder(folder, another(tmp_path, OLDER), plugin_options)
    assert main(["patch", str(site), "--status"]) == 1
    assert f"patched with nixl-stripe {OLDER} (another build than" in capsys.readouterr().out
    assert main(["patch", str(site)]) == 0
    assert f"was nixl-stripe {OLDER}, is nixl-stripe" in capsys.readouterr().out

    patch_folder(folder, another(tmp_path, NEWER), plugin_options)
    assert main(["patch", str(site), "--status"]) == 1
    said = capsys.readouterr().out
    assert f"patched with nixl-stripe {NEWER}, which is newer than this one" in said
    assert "pip install --upgrade nixl-stripe" in said
    at = Surroundings(search_path=[str(site)], environ={})
    row = examine(at, [check_named("plugin")]).rows[0]
    assert (row.status, row.fix) == ("warn", "pip install --upgrade nixl-stripe")
    assert f"nixl-stripe {NEWER}, newer than this one" in row.detail
    assert main(["patch", str(site)]) == 0
    assert f"was nixl-stripe {NEWER}, a newer one, is" in capsys.readouterr().out
    assert status_of(folder).is_patched


def test_wheels_of_two_versions_and_patches_in_place_take_each_others_place(
    tmp_path: Path, nixl_wheel: WheelOf
) -> None:
    published = nixl_wheel("nixl-cu12", NEWEST)
    old = build_wheel(published, tmp_path / "old", another(tmp_path, OLDER))
    new = build_wheel(published, tmp_path / "new")
    environment = Environment(tmp_path / "venv")
    environment.install(published)
    stock = environment.files()
    patch_folder(environment.nixl()[0], another(tmp_path, OLDER))
    for wheel in (old, new):  # over a patch in place, then over an older wheel
        environment.install("--upgrade", wheel.path)
        (folder,) = environment.nixl()
        assert folder.version == wheel.version
        assert plugin_version(folder.path / PLUGIN) == wheel.plugin_version
        assert untrue_rows(folder) == []
    patch_folder(folder, another(tmp_path, NEWER))  # in place, over a wheel
    environment.install("--force-reinstall", published)
    assert environment.files() == stock
    environment.pip("uninstall", "--yes", "nixl-cu12")
    assert environment.files() == environment.empty
