# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe patch --into DIR`: the installed NIXL is not touched, the copy is whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, STOCK_BYTES, contents, install_nixl, write_ours
from nixl_stripe.cli import main
from nixl_stripe.cli import patch as cli_patch
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, STOCK, beside, layout

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_ours(tmp_path / "ours.so")
    monkeypatch.setattr(layout, "plugin_path", lambda: path)
    monkeypatch.setattr(cli_patch, "plugin_options", lambda *_: {"max_rma_rails": ""})
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A NIXL with the libraries that its plugins find relative to themselves."""
    site = tmp_path / "site"
    plugins = install_nixl(site).path
    (plugins.parent / "libnixl.so").write_bytes(b"nixl")
    (site / "nixl_cu12.libs").mkdir(exist_ok=True)
    (site / "nixl_cu12.libs/libucp.so.0").write_bytes(b"ucp")
    return site


def into(site: Path, folder: Path, *more: str) -> int:
    return main(["patch", str(site), "--into", str(folder), *more])


def test_the_copy_is_patched_and_nixl_is_not(ours: Path, site: Path, tmp_path: Path) -> None:
    before, made = contents(site), tmp_path / "deep/er"
    assert into(site, made) == 0
    assert contents(site) == before
    plugins = made / beside.LINK
    assert (plugins / PLUGIN).read_bytes() == OURS_BYTES
    assert (plugins / STOCK).read_bytes() == STOCK_BYTES
    assert (plugins / "libplugin_POSIX.so").resolve().is_relative_to(site)
    # As the loader takes $ORIGIN/..: by the kernel, from the link.
    assert (plugins / "../libnixl.so").read_bytes() == b"nixl"
    assert (plugins / "../../nixl_cu12.libs/libucp.so.0").read_bytes() == b"ucp"


def test_a_second_run_replaces_the_first_ones_copy(ours: Path, site: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert into(site, made) == 0
    older = (made / beside.LINK).resolve()
    write_ours(ours, "0.1.0", b"newer")
    assert into(site, made) == 0
    assert not older.exists()
    assert sorted(path.name[:5] for path in made.iterdir()) == ["nixl-", "plugi"]
    assert b"newer" in (made / beside.LINK / PLUGIN).read_bytes()


def test_what_it_did_not_make_stays_bad_flow(ours: Path, site: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    foreign = made / "nixl-source" / "README"
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    assert into(site, made) == 0
    assert into(site, made) == 0
    assert foreign.exists()


def test_a_planted_link_leads_to_nothing_that_is_removed_bad_flow(
    ours: Path, site: Path, tmp_path: Path, capsys: Capture
) -> None:
    made, victim = tmp_path / "made", tmp_path / "victim"
    assert into(site, made) == 0
    older = (made / beside.LINK).resolve().parents[1]
    victim.mkdir()
    (victim / "theirs").touch()
    shutil.copy2(next(older.glob(".made-by*")), victim)
    (made / "nixl-planted").symlink_to(victim)
    assert into(site, made) == 0
    assert "Error" not in capsys.readouterr().err
    assert (victim / "theirs").exists()
    assert not older.exists()


def test_one_that_cannot_be_loaded_leaves_the_older_copy_bad_flow(
    ours: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    made = tmp_path / "made"
    assert into(site, made) == 0
    older = contents(made)

    def refuses(path: Path, _: object) -> dict[str, str]:
        if path.is_relative_to(made):
            raise StripeError("libucp.so.0: cannot open shared object file")
        return {"max_rma_rails": ""}

    monkeypatch.setattr(cli_patch, "plugin_options", refuses)
    write_ours(ours, "0.1.0", b"newer")
    assert into(site, made) == 1
    assert "libucp.so.0: cannot open" in capsys.readouterr().err
    assert contents(made) == older


def test_where_nixls_own_cannot_be_loaded_either_it_is_a_warning(
    ours: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def no_driver(*_: object) -> dict[str, str]:
        raise StripeError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(cli_patch, "plugin_options", no_driver)
    assert into(site, tmp_path / "made") == 0
    assert "the stock plugin cannot be loaded here: libcuda.so.1" in capsys.readouterr().err
    assert (tmp_path / "made" / beside.LINK / PLUGIN).read_bytes() == OURS_BYTES


def test_two_flavours_are_a_choice_bad_flow(
    ours: Path, site: Path, tmp_path: Path, capsys: Capture
) -> None:
    info = next(site.glob("*.dist-info"))
    other = site / info.name.replace("cu12", "cu13")
    shutil.copytree(info, other)
    for name in ("METADATA", "RECORD"):
        (other / name).write_text((info / name).read_text().replace("cu12", "cu13"))
    shutil.copytree(site / ".nixl_cu12.mesonpy.libs", site / ".nixl_cu13.mesonpy.libs")
    assert into(site, tmp_path / "made") == 2
    said = capsys.readouterr().err
    assert "nixl-cu12 1.5.1 and nixl-cu13 1.5.1 are installed" in said
    assert f"nixl-stripe patch --into {tmp_path}/made {site}/.nixl_cu12" in said
    assert not (tmp_path / "made").exists()


def test_something_else_of_that_name_stays_bad_flow(
    ours: Path, site: Path, tmp_path: Path, capsys: Capture
) -> None:
    made = tmp_path / "made"
    (made / beside.LINK).mkdir(parents=True)
    assert into(site, made) == 1
    assert "not a link that nixl-stripe made" in capsys.readouterr().err
    assert [path.name for path in made.iterdir()] == [beside.LINK]


@pytest.mark.parametrize("other", ["--undo", "--status"])
def test_it_goes_with_neither_bad_flow(other: str, site: Path, tmp_path: Path) -> None:
    assert into(site, tmp_path / "made", other) == 2


def test_json_says_where(ours: Path, site: Path, tmp_path: Path, capsys: Capture) -> None:
    assert into(site, tmp_path / "made", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["plugin_dir"] == str(tmp_path / "made/plugins")
    assert (answer["schema"], answer["distribution"], answer["version"]) == (
        1,
        "nixl-cu12",
        "1.5.1",
    )
