# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Published wheels, patched in place or rebuilt, through the hands of the real pip.

What pip does with them is judged by files, so a fake of our plugin will do here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, untrue_rows, write_ours
from fake_wheels import check_wheel, nixl_wheel_file
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import (
    PLUGIN,
    STOCK,
    State,
    build_wheel,
    patch_folder,
    status_of,
    undo_folder,
)
from nixl_stripe.wheel.state import inspect
from nixl_stripe.wheel.steps import patch_steps
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS, module_name, plugin_folder
from pip_environment import Environment

WheelOf = Callable[[str, str], Path]


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "venv")


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_a_rebuilt_wheel_differs_in_the_plugin_and_its_version_alone(
    nixl_wheel: WheelOf, tmp_path: Path, ours: Path, name: str, version: str
) -> None:
    source = nixl_wheel(name, version)
    built = build_wheel(source, tmp_path / "out", ours)
    assert built.version == f"{version}+stripe0.1.0"
    old_stem, new_stem = (f"{module_name(name)}-{v}" for v in (version, built.version))
    new = check_wheel(built.path)
    plugin = f"{plugin_folder(Path(), name)}/{PLUGIN}"

    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(built.path) as patched:
        assert new.pop(plugin) == OURS_BYTES
        assert new.pop(plugin + ".stock") == archive.read(plugin)
        for folder in (plugin, plugin + ".stock"):
            mode = patched.getinfo(folder).external_attr
            assert mode == archive.getinfo(plugin).external_attr
        metadata = new.pop(f"{new_stem}.dist-info/METADATA").decode()
        original = archive.read(f"{old_stem}.dist-info/METADATA").decode()
        assert (
            metadata.replace(f"Version: {built.version}\n", f"Version: {version}\n", 1) == original
        )
        assert "nixl-stripe 0.1.0\n" in new.pop(f"{new_stem}.dist-info/WHEEL").decode()
        del new[f"{new_stem}.dist-info/RECORD"]
        for member in archive.infolist():
            name_now = member.filename.replace(f"{old_stem}.", f"{new_stem}.")
            if name_now in new:
                assert new.pop(name_now) == archive.read(member), member.filename
                assert patched.getinfo(name_now).external_attr == member.external_attr
    assert new == {}
    if version == "1.0.1":  # one of them is enough for this
        again = build_wheel(source, tmp_path / "again", ours)
        assert again.path.read_bytes() == built.path.read_bytes()


def test_pip_has_no_complaint_about_rebuilt_wheels_that_it_has_not_about_published_ones(
    nixl_wheel: WheelOf, tmp_path: Path, ours: Path
) -> None:
    published = [nixl_wheel(name, NEWEST) for name in ("nixl-cu12", "nixl-cu13")]
    rebuilt = [build_wheel(wheel, tmp_path / "out", ours).path for wheel in published]
    meta = nixl_wheel("nixl", NEWEST)
    complaints = []
    for name, wheels in (("published", published), ("rebuilt", rebuilt)):
        environment = Environment(tmp_path / name)
        environment.install(meta, *wheels)
        said = environment.pip("check", code=1)  # torch and numpy are not there
        complaints.append(sorted(said.replace("+stripe0.1.0", "").splitlines()))
        # The meta package's pin holds: pip has nothing to fetch.
        pinned = environment.pip("install", "--no-deps", "--no-index", f"nixl-cu12=={NEWEST}")
        assert f"Requirement already satisfied: nixl-cu12=={NEWEST}" in pinned
        states = [status_of(folder, ours).state for folder in environment.nixl()]
        assert states == [State.STOCK if name == "published" else State.PATCHED] * 2
    assert complaints[0] == complaints[1]
    assert f"nixl-cu12 {NEWEST} requires torch, which is not installed." in complaints[0]


def test_an_installed_patched_wheel_is_patched_and_can_be_undone_and_removed(
    nixl_wheel: WheelOf, tmp_path: Path, ours: Path, environment: Environment
) -> None:
    source = nixl_wheel("nixl-cu12", NEWEST)
    environment.install(build_wheel(source, tmp_path / "out", ours).path)
    (folder,) = environment.nixl()
    assert status_of(folder, ours).is_patched
    assert untrue_rows(folder) == []
    assert undo_folder(folder).action == "undone"
    with zipfile.ZipFile(source) as archive:
        assert (folder.path / PLUGIN).read_bytes() == archive.read(folder.key(PLUGIN))
    assert untrue_rows(folder) == []
    assert patch_folder(folder, ours).action == "patched"
    environment.pip("uninstall", "--yes", "nixl-cu12")
    assert environment.files() == environment.empty


def test_patched_in_place_uninstall_leaves_nothing(
    nixl_wheel: WheelOf, ours: Path, environment: Environment
) -> None:
    environment.install(nixl_wheel("nixl-cu12", NEWEST), nixl_wheel("nixl-cu13", NEWEST))
    for folder in environment.nixl():
        before = untrue_rows(folder)  # both flavours install scripts of the same names
        assert patch_folder(folder, ours).action == "patched"
        assert untrue_rows(folder) == before
    environment.pip("uninstall", "--yes", "nixl-cu12", "nixl-cu13")
    assert environment.files() == environment.empty


def test_patched_in_place_an_upgrade_leaves_nothing_of_the_old(
    nixl_wheel: WheelOf, tmp_path: Path, ours: Path, environment: Environment
) -> None:
    environment.install(nixl_wheel("nixl-cu12", "1.3.2"))
    patch_folder(environment.nixl()[0], ours)
    environment.install("--upgrade", nixl_wheel("nixl-cu12", NEWEST))
    fresh = Environment(tmp_path / "fresh")
    fresh.install(nixl_wheel("nixl-cu12", NEWEST))
    assert environment.files() == fresh.files()
    (folder,) = environment.nixl()
    status = status_of(folder, ours)
    assert (status.state, status.record_is_true) == (State.STOCK, True)
    assert patch_folder(folder, ours).after.is_patched


def test_published_and_patched_wheels_take_each_others_place(
    tmp_path: Path, ours: Path, environment: Environment
) -> None:
    published = nixl_wheel_file(tmp_path)
    patched = build_wheel(published, tmp_path / "out", ours).path
    environment.install(published)
    before = environment.files()
    environment.install(patched)
    (folder,) = environment.nixl()
    assert (folder.version, status_of(folder, ours).is_patched) == (f"{NEWEST}+stripe0.1.0", True)
    environment.install(published)
    assert environment.files() == before
    assert not (folder.path / STOCK).exists()


def test_a_killed_patch_leaves_nothing_that_pip_does_not_take_along(
    tmp_path: Path, ours: Path
) -> None:
    """After each step an uninstall or an upgrade; with small wheels, for there are many."""
    old, new = (nixl_wheel_file(tmp_path, version=version) for version in ("1.5.1", "1.5.2"))
    fresh = Environment(tmp_path / "fresh")
    fresh.install(new)
    environment = Environment(tmp_path / "venv")
    for done, leave in ((1, "uninstall"), (2, "uninstall"), (2, "upgrade"), (3, "upgrade")):
        environment.install("--force-reinstall", old)
        (folder,) = environment.nixl()
        steps = patch_steps(inspect(folder, OURS_BYTES), OURS_BYTES)
        assert len(steps) == 4
        for step in steps[:done]:
            step.run()
        if leave == "upgrade":
            environment.install("--upgrade", new)
            assert environment.files() == fresh.files()
        else:
            environment.pip("uninstall", "--yes", "nixl-cu12")
            assert environment.files() == environment.empty


def test_the_uninstalls_above_can_fail(tmp_path: Path, environment: Environment) -> None:
    """The bad flow: a file that RECORD does not list does stay behind."""
    environment.install(nixl_wheel_file(tmp_path))
    (folder,) = environment.nixl()
    (folder.path / STOCK).write_bytes((folder.path / PLUGIN).read_bytes())
    environment.pip("uninstall", "--yes", "nixl-cu12")
    left = {name.rpartition("/")[2] for name in environment.files() - environment.empty}
    assert left == {STOCK}
