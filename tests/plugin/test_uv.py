# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Environments that uv installs: files linked from a cache, and an uninstall of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, STOCK_BYTES, contents, write_ours
from fake_wheels import nixl_wheel_file
from killing import every_kill
from nixl_stripe.wheel import PLUGIN, find_in, patch_folder, undo_folder
from pip_environment import Environment
from uv import find_uv_bin


class UvEnvironment(Environment):
    """A virtual environment that uv works on, by hard links from a cache of its own."""

    def uv(self, *arguments: str | Path) -> None:
        environ = {**os.environ, "UV_CACHE_DIR": str(self.cache), "UV_NO_CONFIG": "1"}
        command = [find_uv_bin(), "pip", *map(str, arguments), "--python", str(self.python)]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        assert done.returncode == 0, done.stderr

    def files(self) -> set[str]:
        """Leave out the lock that uv keeps in each environment."""
        return super().files() - {".lock"}

    @property
    def cache(self) -> Path:
        return self.python.parents[2] / "uv-cache"

    def install(self, *wheels: str | Path) -> None:
        links = ("--offline", "--no-deps", "--no-index", "--link-mode", "hardlink")
        self.uv("install", *links, "--reinstall", *wheels)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


def test_another_environment_of_the_same_cache_stays_stock(tmp_path: Path, ours: Path) -> None:
    wheel = nixl_wheel_file(tmp_path)
    one, two, three = (UvEnvironment(tmp_path / name) for name in ("one", "two", "three"))
    for environment in (one, two):
        environment.install(wheel)
    (first,), (second,) = one.nixl(), two.nixl()
    assert (first.path / PLUGIN).samefile(second.path / PLUGIN), "the test shows nothing"
    before, cached = contents(two.site), contents(one.cache)
    mine = contents(one.site)
    patch_folder(first, ours)
    assert (first.path / PLUGIN).read_bytes() == OURS_BYTES
    assert contents(two.site) == before
    assert contents(one.cache) == cached
    three.install(wheel)
    assert (three.nixl()[0].path / PLUGIN).read_bytes() == STOCK_BYTES
    undo_folder(first)
    assert contents(one.site) == mine
    assert (first.path / PLUGIN).samefile(second.path / PLUGIN)


def test_reinstall_and_uninstall_by_uv_leave_nothing(tmp_path: Path, ours: Path) -> None:
    wheel = nixl_wheel_file(tmp_path)
    environment = UvEnvironment(tmp_path / "venv")
    environment.install(wheel)
    stock = environment.files()
    patch_folder(environment.nixl()[0], ours)
    environment.install(wheel)
    assert environment.files() == stock
    patch_folder(environment.nixl()[0], ours)
    environment.uv("uninstall", "nixl-cu12")
    assert environment.files() == environment.empty


def test_uninstall_by_uv_after_each_state_that_a_kill_can_leave(
    tmp_path: Path, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # a kill is no power failure
    environment = UvEnvironment(tmp_path / "venv")
    environment.install(nixl_wheel_file(tmp_path))
    shutil.copytree(environment.site, tmp_path / "template")
    number = itertools.count()

    def make() -> Path:
        return Path(shutil.copytree(tmp_path / "template", tmp_path / f"site-{next(number)}"))

    states: dict[tuple[object, ...], Path] = {}
    for site in every_kill(make, lambda site: patch_folder(find_in(site)[0], ours)):
        (folder,) = find_in(site)
        assert folder.record is not None
        states.setdefault((*sorted(contents(site)), folder.record.read_bytes()), site)
    assert any("__pycache__" in str(name) for state in states for name in state)
    for site in states.values():
        shutil.rmtree(environment.site)
        shutil.copytree(site, environment.site)
        environment.uv("uninstall", "nixl-cu12")
        left = {path for path in environment.site.rglob("*") if "nixl" in path.name.lower()}
        assert left == set()
