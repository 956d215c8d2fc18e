# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What ours leaves on a machine, and that `patch --undo` removes it and nothing else."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import nixl_stripe
import pytest
from fake_plugins import contents, install_nixl
from nixl_stripe.cli import main
from nixl_stripe.cli import patch as cli_patch
from nixl_stripe.lab.guests import assets
from nixl_stripe.wheel import patch_folder, written
from nixl_stripe.wheel.written import TABLE, cache_folder, own_cache, remove_user_files

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with what ours and what others keep there."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("NIXL_STRIPE_CACHE", raising=False)
    monkeypatch.setattr(cli_patch, "sweep", list)
    monkeypatch.chdir(tmp_path)
    ours = tmp_path / "home" / ".cache" / "nixl-stripe" / "guests" / "kernel-6.1"
    ours.mkdir(parents=True)
    (ours / "kernel").write_bytes(b"kernel")
    (tmp_path / "home" / ".cache" / "other").mkdir()
    (tmp_path / "home" / ".cache" / "other" / "file").write_bytes(b"not ours")
    return tmp_path / "home"


def test_undo_removes_and_names_what_ours_left(home: Path, tmp_path: Path, capsys: Capture) -> None:
    site = tmp_path / "site"
    before = contents(install_nixl(site).path.parents[1])
    patch_folder(install_nixl(site))
    assert main(["patch", "--undo", str(site)]) == 0
    cache = home / ".cache" / "nixl-stripe"
    assert f"{cache}: removed: test guests' kernel" in capsys.readouterr().out
    assert sorted(contents(tmp_path)) == sorted(
        [*(f"site/{name}" for name in before), "home/.cache/other/file"]
    )
    assert main(["patch", "--undo", str(site)]) == 0
    assert str(cache) not in capsys.readouterr().out


def test_undo_removes_the_users_calibration_and_nothing_beside_it(
    home: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    shared = tmp_path / "etc" / "calibration"
    shared.parent.mkdir()
    shared.write_text("of all\n")
    monkeypatch.setattr(written, "SHARED_CALIBRATION", shared)
    own = home / ".config" / "nixl-stripe" / "calibration"
    own.parent.mkdir(parents=True)
    own.write_text("mine\n")
    (own.parent / "notes").write_text("the user's")
    install_nixl(tmp_path / "site")
    assert main(["patch", "--undo", str(tmp_path / "site")]) == 0
    said = capsys.readouterr().out
    assert f"{own}: removed: calibration" in said
    assert f"{shared}: left: calibration; it is for every user" in said
    assert (own.exists(), shared.exists(), (own.parent / "notes").exists()) == (False, True, True)
    own.symlink_to(shared)
    assert [each.path for each in remove_user_files()] == [shared]
    assert own.is_symlink()


def test_keep_cache(home: Path, tmp_path: Path, capsys: Capture) -> None:
    install_nixl(tmp_path / "site")
    assert main(["patch", "--undo", "--keep-cache", "--json", str(tmp_path / "site")]) == 0
    (row,) = json.loads(capsys.readouterr().out)["files"]
    assert (row["path"], row["removed"]) == (str(home / ".cache" / "nixl-stripe"), False)
    assert row["why"] == "--keep-cache"
    assert (home / ".cache/nixl-stripe/guests/kernel-6.1/kernel").exists()
    assert main(["patch", "--keep-cache", str(tmp_path / "site")]) == 2
    assert "--keep-cache goes with --undo" in capsys.readouterr().err


def test_a_failed_undo_leaves_them(home: Path, tmp_path: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    (folder.path / "libplugin_UCX.so").write_bytes(b"text")
    assert main(["patch", "--undo", str(tmp_path / "site")]) == 1
    assert (home / ".cache/nixl-stripe").exists()


def test_a_folder_that_the_user_named_is_named_and_left(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold anything: NIXL_STRIPE_CACHE=$HOME must not be the end of it."""
    monkeypatch.setenv("NIXL_STRIPE_CACHE", str(home))
    (tmp_path / ".cache" / "bench").mkdir(parents=True)
    assert cache_folder() == home
    own, named, bench = remove_user_files()
    assert (own.path, own.removed) == (home / ".cache" / "nixl-stripe", True)
    assert (named.path, named.removed) == (home, False)
    assert named.why.startswith("NIXL_STRIPE_CACHE names it: remove it yourself")
    assert (bench.path, bench.removed) == (tmp_path / ".cache" / "bench", False)
    assert bench.what == "downloads and installs of benchmarks"
    assert (home / ".cache" / "other" / "file").exists()


def test_no_link_is_followed_bad_flow(home: Path, tmp_path: Path) -> None:
    cache = home / ".cache" / "nixl-stripe"
    (cache / "guests" / "link").symlink_to(home / ".cache" / "other")
    (left,) = remove_user_files()
    assert left.removed
    assert (home / ".cache" / "other" / "file").exists()
    cache.symlink_to(home / ".cache" / "other")
    (left,) = remove_user_files()
    assert (left.removed, left.why) == (False, "it is not a folder of its own, but a link")
    assert (home / ".cache" / "other" / "file").exists()


def test_what_another_user_owns_is_left_bad_flow(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(home / ".cache" / "nixl-stripe", 4301, 4301)
    (left,) = remove_user_files()
    assert (left.removed, left.why) == (False, "it belongs to uid 4301")


def test_where_the_cache_is(home: Path) -> None:
    assert own_cache({"XDG_CACHE_HOME": "/x"}) == Path("/x/nixl-stripe")
    assert own_cache({"XDG_CACHE_HOME": "relative"}) == home / ".cache" / "nixl-stripe"
    assert assets.default_cache() == home / ".cache" / "nixl-stripe" / "guests"


def test_no_other_module_has_a_place_of_its_own() -> None:
    """The table is whole: nobody else asks for a home, a cache or a state folder."""
    package = Path(nixl_stripe.__file__).parent
    asks = re.compile(r"XDG_|Path\.home|expanduser\(\"~|\"/var/(lib|cache)|\.local/state")
    found = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if asks.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["wheel/written.py"]


def test_the_document_has_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "install-and-undo.md").read_text()
    for row in TABLE:
        assert f"| {row.what} | {row.where} | {row.by} | {row.removed_by} |" in text
