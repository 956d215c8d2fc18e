# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Which folders are meant: an interpreter's, a folder's, a build's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fake_plugins import PREFIX, STOCK_BYTES, install_nixl
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, find_in, find_installed
from nixl_stripe.wheel.locate import search_path_of


def add_flavour(site: Path, name: str) -> None:
    """Make a second NIXL of the one in `site`, as `pip install nixl` installs two."""
    module = name.replace("-", "_")
    for path in [path for path in sorted(site.rglob("*")) if path.is_file()]:
        text = path.read_bytes()
        target = site / str(path.relative_to(site)).replace("nixl_cu12", module)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(
            text.replace(b"nixl_cu12", module.encode()).replace(b"nixl-cu12", name.encode())
        )


def test_both_flavours_are_found_with_their_records(tmp_path: Path) -> None:
    install_nixl(tmp_path / "site")
    add_flavour(tmp_path / "site", "nixl-cu13")
    found = find_in(tmp_path / "site")
    assert [folder.label for folder in found] == ["nixl-cu12 1.5.1", "nixl-cu13 1.5.1"]
    for folder in found:
        assert folder.record is not None
        assert folder.key(PLUGIN) in folder.record.read_text()
        assert folder.path.is_relative_to(tmp_path / "site")


def test_a_plugin_folder_knows_the_distribution_that_owns_it(tmp_path: Path) -> None:
    whole = install_nixl(tmp_path / "site")
    assert find_in(tmp_path / "site" / PREFIX) == [whole]
    assert find_in(tmp_path / "site" / PREFIX / "..") == [whole]


def test_the_first_on_the_path_is_the_one(tmp_path: Path) -> None:
    install_nixl(tmp_path / "first", version="1.5.1")
    install_nixl(tmp_path / "second", version="1.3.2")
    path = [str(tmp_path / name) for name in ("nowhere", "first", "second")]
    assert [folder.version for folder in find_installed(path)] == ["1.5.1"]
    assert [folder.version for folder in find_installed(path[::-1])] == ["1.3.2"]
    assert find_installed([str(tmp_path)]) == []


def test_other_distributions_are_not_taken_for_nixl(tmp_path: Path) -> None:
    install_nixl(tmp_path / "site")
    add_flavour(tmp_path / "site", "nixl-stripe")
    assert [folder.distribution for folder in find_installed([str(tmp_path / "site")])] == [
        "nixl-cu12"
    ]


def test_a_distribution_without_record_is_found_by_its_folder(tmp_path: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    assert folder.record is not None
    folder.record.unlink()
    (found,) = find_installed([str(tmp_path / "site")])
    assert (found.path, found.record) == (folder.path, None)


@pytest.mark.parametrize(
    "below", ["", "plugins", "lib/plugins", "lib/aarch64-linux-gnu/plugins", "src/plugins/ucx"]
)
def test_a_build_from_source_is_found_from_its_prefix(tmp_path: Path, below: str) -> None:
    plugins = tmp_path / "nixl" / below
    plugins.mkdir(parents=True)
    (plugins / PLUGIN).write_bytes(STOCK_BYTES)
    (folder,) = find_in(tmp_path / "nixl")
    assert (folder.path, folder.record) == (plugins.resolve(), None)


def test_a_folder_without_nixl_is_refused_with_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(
        StripeError, match=r"is not NIXL's: no libplugin_UCX\.so in it, in plugins,"
    ):
        find_in(tmp_path)
    with pytest.raises(StripeError, match=r"absent is not a folder"):
        find_in(tmp_path / "absent")


def test_another_interpreter_is_asked_for_its_path(tmp_path: Path) -> None:
    path = search_path_of(sys.executable)
    assert any(entry.endswith("site-packages") for entry in path)
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0
    with pytest.raises(StripeError, match=r"--python .*absent cannot be run"):
        search_path_of(str(tmp_path / "absent"))
    with pytest.raises(StripeError, match=r"--python .*true cannot be run"):
        search_path_of("true")


def test_copies_of_the_plugin_are_known_up_to_a_limit(tmp_path: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    assert folder.record is not None
    rows = folder.record.read_text() + "".join(f"copy{n}/{PLUGIN},,\n" for n in range(63))
    folder.record.write_text(rows)
    (found,) = find_in(tmp_path / "site")
    assert len(found.copies) == 63
    folder.record.write_text(f"{rows}copy63/{PLUGIN},,\n")
    with pytest.raises(StripeError, match=f"RECORD: {PLUGIN} in 65 folders, up to 64 are accepted"):
        find_in(tmp_path / "site")
