# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Patching in place: what it changes, what it leaves alone, and that undo takes it all back."""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path

import pytest
from fake_plugins import (
    AARCH64,
    OURS_BYTES,
    STOCK_BYTES,
    contents,
    install_nixl,
    shared_object,
    untrue_rows,
    write_ours,
)
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, STOCK, State, find_in, patch_folder, status_of, undo_folder
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.record import digest_of
from nixl_stripe.wheel.state import inspect
from nixl_stripe.wheel.steps import patch_steps


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


@pytest.fixture
def folder(tmp_path: Path) -> PluginFolder:
    return install_nixl(tmp_path / "site")


def site_of(folder: PluginFolder) -> Path:
    assert folder.record is not None
    return folder.record.parents[1]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_patch_and_undo_are_exact(tmp_path: Path, ours: Path, line_end: str) -> None:
    folder = install_nixl(tmp_path / "site", line_end=line_end)
    (folder.path / PLUGIN).chmod(0o640)
    before = contents(site_of(folder))

    outcome = patch_folder(folder, ours)
    assert (outcome.action, outcome.after.state) == ("patched", State.PATCHED)
    after = contents(site_of(folder))
    plugin, stock = folder.key(PLUGIN), folder.key(STOCK)
    assert after[plugin] == (before[plugin][0], OURS_BYTES)
    assert after[stock] == before[plugin]
    assert {name for name in after if after[name] != before.get(name)} == {
        plugin,
        stock,
        "nixl_cu12-1.5.1.dist-info/RECORD",
    }
    assert untrue_rows(folder) == []

    assert undo_folder(folder).action == "undone"
    assert contents(site_of(folder)) == before


def test_a_second_patch_and_a_second_undo_touch_nothing(folder: PluginFolder, ours: Path) -> None:
    def stamps() -> dict[str, tuple[int, int]]:
        files = [path for path in site_of(folder).rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    patch_folder(folder, ours)
    patched = stamps()
    assert patch_folder(folder, ours).action == "unchanged"
    assert stamps() == patched
    undo_folder(folder)
    stock = stamps()
    assert undo_folder(folder).action == "unchanged"
    assert stamps() == stock


@pytest.mark.parametrize(
    ("version", "content"),
    [("0.0.9", b"older"), ("0.2.0", b"newer"), ("0.1.0", b"another build")],
    ids=["older", "newer", "rebuilt"],
)
def test_another_version_of_ours_is_replaced(
    folder: PluginFolder, tmp_path: Path, ours: Path, version: str, content: bytes
) -> None:
    before = contents(site_of(folder))
    patch_folder(folder, write_ours(tmp_path / "other.so", version, content))
    status = status_of(folder, ours)
    assert (status.state, status.plugin_version) == (State.OUTDATED, version)
    assert not status.is_patched

    outcome = patch_folder(folder, ours)
    assert (outcome.action, outcome.after.plugin_version) == ("updated", "0.1.0")
    assert (folder.path / STOCK).read_bytes() == STOCK_BYTES
    assert untrue_rows(folder) == []
    undo_folder(folder)
    assert contents(site_of(folder)) == before


def test_a_stock_plugin_that_an_upgrade_put_back_is_patched_again(
    folder: PluginFolder, ours: Path
) -> None:
    patch_folder(folder, ours)
    newer = shared_object(b"stock of the next NIXL")
    (folder.path / PLUGIN).write_bytes(newer)
    assert status_of(folder, ours).state is State.REPLACED

    assert patch_folder(folder, ours).after.is_patched
    assert (folder.path / STOCK).read_bytes() == newer
    assert untrue_rows(folder) == []


def test_undo_after_an_upgrade_keeps_the_new_plugin(folder: PluginFolder, ours: Path) -> None:
    patch_folder(folder, ours)
    newer = shared_object(b"stock of the next NIXL")
    (folder.path / PLUGIN).write_bytes(newer)
    assert undo_folder(folder).after.state is State.STOCK
    assert (folder.path / PLUGIN).read_bytes() == newer
    assert untrue_rows(folder) == []


def test_a_process_keeps_the_plugin_that_it_has_open(folder: PluginFolder, ours: Path) -> None:
    with (folder.path / PLUGIN).open("rb") as held:
        patch_folder(folder, ours)
        assert held.read() == STOCK_BYTES
    with (folder.path / PLUGIN).open("rb") as held:
        undo_folder(folder)
        assert held.read() == OURS_BYTES


def test_without_hard_links_the_stock_plugin_is_copied(
    folder: PluginFolder, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    before = contents(site_of(folder))
    times = (folder.path / PLUGIN).stat().st_mtime_ns
    monkeypatch.setattr(os, "link", refuse)
    assert patch_folder(folder, ours).after.is_patched
    assert (folder.path / STOCK).read_bytes() == STOCK_BYTES
    undo_folder(folder)
    assert contents(site_of(folder)) == before
    assert (folder.path / PLUGIN).stat().st_mtime_ns == times


def test_a_plugin_that_is_a_symbolic_link_is_one_again_after_undo(
    folder: PluginFolder, tmp_path: Path, ours: Path
) -> None:
    stored = tmp_path / "store.so"
    (folder.path / PLUGIN).rename(stored)
    (folder.path / PLUGIN).symlink_to(stored)
    patch_folder(folder, ours)
    assert stored.read_bytes() == STOCK_BYTES
    assert (folder.path / STOCK).resolve() == stored
    undo_folder(folder)
    assert (folder.path / PLUGIN).is_symlink()
    assert stored.read_bytes() == STOCK_BYTES


@pytest.mark.parametrize("row", ["{key},,", "{key},{sha512},{size}", "{key},sha256=wrong,{size}"])
def test_record_rows_of_other_kinds_come_back_as_they_were(
    folder: PluginFolder, ours: Path, row: str
) -> None:
    assert folder.record is not None
    lines = folder.record.read_bytes().decode().splitlines()
    key = folder.key(PLUGIN)
    at = next(at for at, line in enumerate(lines) if line.startswith(key))
    lines[at] = row.format(key=key, sha512=digest_of(STOCK_BYTES, "sha512"), size=len(STOCK_BYTES))
    text = "\n".join(lines) + "\n"
    folder.record.write_bytes(text.encode())

    patch_folder(folder, ours)
    assert untrue_rows(folder) == []
    undo_folder(folder)
    undone = folder.record.read_bytes().decode()
    if "wrong" in row:  # a row that never was true is fixed rather than brought back
        assert untrue_rows(folder) == []
    else:
        assert undone == text


def test_a_folder_without_record_is_patched_too(tmp_path: Path, ours: Path) -> None:
    plugins = tmp_path / "prefix" / "lib" / "x86_64-linux-gnu" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / PLUGIN).write_bytes(STOCK_BYTES)
    (folder,) = find_in(tmp_path / "prefix")
    assert folder.path == plugins
    outcome = patch_folder(folder, ours)
    assert outcome.after.is_patched
    assert outcome.after.record_is_true is None
    undo_folder(folder)
    assert list(contents(plugins)) == [PLUGIN]


def test_undo_works_without_a_plugin_of_our_own_at_hand(
    folder: PluginFolder, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(site_of(folder))
    patch_folder(folder, ours)
    ours.unlink()
    undo_folder(folder)
    assert contents(site_of(folder)) == before


# What is refused, and that it is refused before anything is changed.


def assert_refused(folder: PluginFolder, ours: Path, undo: bool, match: str) -> None:
    before = contents(folder.path)
    run = partial(undo_folder, folder) if undo else partial(patch_folder, folder, ours)
    with pytest.raises(StripeError, match=match):
        run()
    assert contents(folder.path) == before


@pytest.mark.parametrize("undo", [False, True], ids=["patch", "undo"])
def test_our_plugin_alone_needs_a_reinstall(folder: PluginFolder, ours: Path, undo: bool) -> None:
    patch_folder(folder, ours)
    (folder.path / STOCK).unlink()
    assert status_of(folder, ours).state is State.BROKEN
    match = r"stock is missing.*pip install --force-reinstall --no-deps nixl-cu12==1\.5\.1"
    assert_refused(folder, ours, undo, match)


@pytest.mark.parametrize("undo", [False, True], ids=["patch", "undo"])
def test_our_plugin_twice_needs_a_reinstall(folder: PluginFolder, ours: Path, undo: bool) -> None:
    for name in (PLUGIN, STOCK):
        (folder.path / name).write_bytes(OURS_BYTES)
    assert_refused(folder, ours, undo, r"stock is not a stock plugin.*--force-reinstall")


def test_a_stock_plugin_under_its_second_name_alone_is_put_back_by_undo(
    folder: PluginFolder, ours: Path
) -> None:
    before = contents(site_of(folder))
    patch_folder(folder, ours)
    (folder.path / PLUGIN).unlink()
    assert_refused(folder, ours, False, r"is missing.*patch --undo puts it back")
    undo_folder(folder)
    assert contents(site_of(folder)) == before


@pytest.mark.parametrize("undo", [False, True], ids=["patch", "undo"])
@pytest.mark.parametrize("data", [b"#!/bin/sh\n", shared_object(entry=False)])
def test_what_is_not_a_nixl_plugin_is_left_alone(
    folder: PluginFolder, ours: Path, data: bytes, undo: bool
) -> None:
    (folder.path / PLUGIN).write_bytes(data)
    assert_refused(folder, ours, undo, r"libplugin_UCX\.so is not a plugin of NIXL")


def test_a_plugin_for_another_machine_is_refused(folder: PluginFolder, tmp_path: Path) -> None:
    other = tmp_path / "arm.so"
    other.write_bytes(shared_object(version="0.1.0", machine=AARCH64))
    assert_refused(folder, other, False, r"is for aarch64, .* for x86_64: .*--plugin FILE")


def test_a_plugin_that_changes_under_our_hands_is_not_taken_for_the_stock_one(
    folder: PluginFolder, ours: Path
) -> None:
    """Where the file system has no locks, a second run may have been faster."""
    listing, keeping, *_ = patch_steps(inspect(folder, OURS_BYTES), OURS_BYTES)
    patch_folder(folder, ours)
    listing.run()
    with pytest.raises(StripeError, match="changed while it was being patched"):
        keeping.run()
    assert (folder.path / STOCK).read_bytes() == STOCK_BYTES
    assert patch_folder(folder, ours).after.is_patched
    assert untrue_rows(folder) == []
