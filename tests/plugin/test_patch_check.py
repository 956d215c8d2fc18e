# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The check of a patch on real wheels: what is called good loads, and a copy says why not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.cli import main
from nixl_stripe.doctor import Surroundings, check_named, examine
from nixl_stripe.doctor.report import Row
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import PLUGIN, build_wheel, find_in, patch_folder
from nixl_stripe.wheel.loading import plugin_options
from nixl_stripe.wheel.locate import PluginFolder
from nixl_wheels import plugin_folder

WheelOf = Callable[[str, str], Path]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def site(tmp_path: Path, unpacked: WheelOf) -> Path:
    """A stock NIXL of its own, hard links into the shared one."""
    copy = tmp_path / "site"
    shutil.copytree(unpacked("nixl-cu12", NEWEST), copy, copy_function=os.link)
    return copy


def plugin_loads(site: Path, **variables: str) -> Row:
    surroundings = Surroundings(search_path=[str(site)], environ=variables)
    return examine(surroundings, [check_named("plugin-loads")]).rows[0]


@pytest.mark.parametrize(
    ("name", "version"),
    [("nixl-cu12", "0.10.1"), ("nixl-cu12", NEWEST), ("nixl-cu13", NEWEST)],
)
def test_a_real_plugin_is_loaded_in_front_of_its_stock_one(
    tmp_path: Path, unpacked: WheelOf, name: str, version: str
) -> None:
    site = tmp_path / "site"
    shutil.copytree(unpacked(name, version), site, copy_function=os.link)
    (folder,) = find_in(site)
    assert "max_rma_rails" not in plugin_options(folder.path / PLUGIN)
    outcome = patch_folder(folder, load=plugin_options)
    assert (outcome.action, outcome.warnings) == ("patched", ())
    assert "max_rma_rails" in plugin_options(folder.path / PLUGIN)
    assert plugin_loads(site).status == "ok"


def test_a_real_wheel_is_loaded_before_it_is_written(tmp_path: Path, nixl_wheel: WheelOf) -> None:
    source = nixl_wheel("nixl-cu12", NEWEST)
    assert build_wheel(source, tmp_path / "out", load=plugin_options).warnings == ()


def test_a_copy_without_its_libraries_is_refused_and_doctor_says_so_bad_flow(
    tmp_path: Path, site: Path, capsys: Capture
) -> None:
    copy = tmp_path / "copy" / "plugins"
    shutil.copytree(find_in(site)[0].path, copy)
    before = sorted(path.name for path in copy.iterdir())
    assert main(["patch", str(copy)]) == 1
    said = capsys.readouterr().err
    assert "the stock plugin cannot be loaded from there, so NIXL cannot use it either" in said
    assert "cannot open shared object file" in said
    assert sorted(path.name for path in copy.iterdir()) == before
    row = plugin_loads(site, NIXL_PLUGIN_DIR=str(copy))
    assert row.status == "fail"
    assert "cannot open shared object file" in row.detail
    patch_folder(PluginFolder(copy))  # as with --no-check: doctor still tells the truth
    assert plugin_loads(site, NIXL_PLUGIN_DIR=str(copy)).status == "fail"


def test_a_copy_with_its_libraries_is_patched(tmp_path: Path, site: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    for name in (".nixl_cu12.mesonpy.libs", "nixl_cu12.libs"):
        shutil.copytree(site / name, whole / name, copy_function=os.link)
    copy = plugin_folder(whole, "nixl-cu12")
    (folder,) = find_in(copy)
    assert folder.distribution is None
    assert patch_folder(folder, load=plugin_options).after.is_patched
    assert plugin_loads(site, NIXL_PLUGIN_DIR=str(copy)).status == "ok"


def test_the_second_copy_is_named_by_patch_status_and_doctor(site: Path, capsys: Capture) -> None:
    second = site / "nixl_cu12.libs" / "nixl" / PLUGIN
    stock = second.read_bytes()
    says = f"{second} is a second copy, which NIXL does not load: it stays as it is"
    assert main(["patch", str(site)]) == 0
    assert says in capsys.readouterr().out
    assert main(["patch", str(site), "--status"]) == 0
    assert says in capsys.readouterr().out
    assert second.read_bytes() == stock
    assert f"as NIXL does not load it: {second}" in plugin_loads(site).detail


def test_the_second_copy_is_kept_in_record_where_it_is_patched(site: Path) -> None:
    """Where NIXL_PLUGIN_DIR names it, `patch DIR` does: then an uninstall takes both files."""
    (folder,) = find_in(site / "nixl_cu12.libs" / "nixl")
    assert folder.distribution == "nixl-cu12"
    assert folder.record is not None
    patch_folder(folder)
    assert f"{folder.prefix}/{PLUGIN}.stock," in folder.record.read_text()
    assert folder.prefix == "nixl_cu12.libs/nixl"
