# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe wheel` and `nixl-stripe patch` as a user types them; pip is the real one."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, STOCK_BYTES, contents, install_nixl, write_ours
from fake_wheels import check_wheel, meta_wheel_file, nixl_wheel_file
from nixl_stripe.cli import main
from nixl_stripe.cli import patch as cli_patch
from nixl_stripe.cli import wheel as cli_wheel
from nixl_stripe.wheel import PLUGIN, fetch, find_installed, layout

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--undo` removes the user's caches: not those of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home-cache"))
    monkeypatch.delenv("NIXL_STRIPE_CACHE", raising=False)
    monkeypatch.setattr(cli_patch, "sweep", list)


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin that stands where ours is installed, and is said to load."""
    path = write_ours(tmp_path / "ours.so")
    monkeypatch.setattr(layout, "plugin_path", lambda: path)
    for module in (cli_patch, cli_wheel):
        monkeypatch.setattr(module, "plugin_options", lambda *_: {"max_rma_rails": ""})
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that packages of "this Python" are installed in, empty; not the tests' own."""
    folder = tmp_path / "site"
    here = partial(find_installed, [str(folder)])
    monkeypatch.setattr(fetch, "find_installed", here)
    monkeypatch.setattr(
        cli_patch, "find_installed", lambda path: find_installed(path) if path else here()
    )
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that the user's pip is configured to take instead of an index."""
    folder = tmp_path / "index"
    for version in ("1.5.0", "1.5.1"):
        meta_wheel_file(folder, version)
        for name in ("nixl-cu12", "nixl-cu13"):
            nixl_wheel_file(folder, name, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def wheel(capfd: Capture, *arguments: str) -> list[dict[str, object]]:
    assert main(["wheel", *arguments, "--json"]) == 0, capfd.readouterr().err
    answer = json.loads(capfd.readouterr().out)
    assert isinstance(answer["wheels"], list)
    return answer["wheels"]


# nixl-stripe wheel


def test_without_arguments_it_builds_what_pip_would_install(
    tmp_path: Path, ours: Path, index: Path, site: Path, capfd: Capture
) -> None:
    built = wheel(capfd, "--out", str(tmp_path / "out"))
    assert [(one["distribution"], one["version"]) for one in built] == [
        ("nixl-cu12", "1.5.1+stripe0.1.0"),
        ("nixl-cu13", "1.5.1+stripe0.1.0"),
    ]
    for one in built:
        check_wheel(Path(str(one["path"])))


def test_without_arguments_it_builds_the_versions_that_are_installed(
    tmp_path: Path, ours: Path, index: Path, site: Path, capfd: Capture
) -> None:
    install_nixl(site, version="1.5.0+stripe0.0.9")
    built = wheel(capfd, "--out", str(tmp_path / "out"))
    assert [one["version"] for one in built] == ["1.5.0+stripe0.1.0"]


def test_what_is_named_is_built(tmp_path: Path, ours: Path, index: Path, capfd: Capture) -> None:
    out = str(tmp_path / "out")
    file = str(index / "nixl_cu13-1.5.0-py3-none-linux_x86_64.whl")
    built = wheel(capfd, "--from", "nixl-cu12<1.5.1", "--from", file, "--out", out)
    assert [one["source"] for one in built] == [
        "nixl_cu12-1.5.0-py3-none-linux_x86_64.whl",
        "nixl_cu13-1.5.0-py3-none-linux_x86_64.whl",
    ]
    built = wheel(capfd, "--from", "NIXL==1.5.0", "--out", out)
    assert [one["stock_version"] for one in built] == ["1.5.0", "1.5.0"]


def test_the_answer_for_people_ends_with_the_command_that_installs(
    tmp_path: Path, ours: Path, index: Path, capfd: Capture
) -> None:
    assert main(["wheel", "--from", "nixl-cu12", "--out", str(tmp_path / "an out")]) == 0
    out = capfd.readouterr().out
    name = "nixl_cu12-1.5.1+stripe0.1.0-py3-none-linux_x86_64.whl"
    assert f"-m pip install '{tmp_path}/an out/{name}'\n" in out
    assert "Do not publish" in out


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("nixl-cu12==9", 1, "pip cannot download nixl-cu12==9: Could not find a version"),
        ("numpy", 2, "--from numpy: not NIXL; accepted are nixl, nixl==1.5.1"),
        ("nixl-stripe", 2, "--from nixl-stripe: not NIXL"),
        ("nixl cu12", 2, "--from nixl cu12: neither a file nor a requirement"),
        ("absent.whl", 2, "--from absent.whl: no such file"),
    ],
)
def test_a_source_that_cannot_be_is_one_line(
    tmp_path: Path, ours: Path, index: Path, capfd: Capture, source: str, code: int, message: str
) -> None:
    assert main(["wheel", "--from", source, "--out", str(tmp_path / "out")]) == code
    said = capfd.readouterr()
    assert said.err.startswith(f"nixl-stripe: {message}")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (tmp_path / "out").exists()


def test_without_pip_it_says_what_to_do(
    tmp_path: Path, ours: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "find_spec", {"pip": None}.get)
    assert main(["wheel", "--from", "nixl-cu12", "--out", str(tmp_path)]) == 1
    assert "has no pip to download nixl-cu12 with: run" in capfd.readouterr().err


def test_a_plugin_that_is_none_is_refused_before_the_download(
    tmp_path: Path, index: Path, capfd: Capture
) -> None:
    (tmp_path / "plugin.so").write_bytes(STOCK_BYTES)
    assert main(["wheel", "--plugin", str(tmp_path / "plugin.so")]) == 1
    assert "is not a nixl-stripe plugin" in capfd.readouterr().err


# nixl-stripe patch


def test_status_patch_status_undo(tmp_path: Path, ours: Path, capfd: Capture) -> None:
    folder = install_nixl(tmp_path / "a site")
    before = contents(tmp_path / "a site")
    site = str(tmp_path / "a site")

    assert main(["patch", site, "--status"]) == 1
    assert f"1.5.1: stock; to patch it: nixl-stripe patch '{site}'\n" in capfd.readouterr().out
    assert main(["patch", site]) == 0
    said = capfd.readouterr().out
    assert said.startswith("nixl-cu12 1.5.1: patched: ")
    assert f"Undo: nixl-stripe patch --undo '{site}'\n" in said
    assert (folder.path / PLUGIN).read_bytes() == OURS_BYTES
    assert main(["patch", site, "--status"]) == 0
    assert capfd.readouterr().out == "nixl-cu12 1.5.1: patched with nixl-stripe 0.1.0\n"
    assert main(["patch", site]) == 0
    assert "nothing to do: patched with nixl-stripe 0.1.0" in capfd.readouterr().out
    assert main(["patch", site, "--undo"]) == 0
    assert "is the stock one again" in capfd.readouterr().out
    assert contents(tmp_path / "a site") == before


def test_the_installed_nixl_is_the_default(ours: Path, site: Path, capfd: Capture) -> None:
    folder = install_nixl(site)
    assert main(["patch", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["ok"] is True
    (row,) = answer["folders"]
    assert row["folder"] == str(folder.path)
    assert (row["action"], row["state"]) == ("patched", "patched")
    assert (row["plugin_version"], row["record_is_true"]) == ("0.1.0", True)


def test_the_nixl_of_another_python(
    tmp_path: Path, ours: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_nixl(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    assert main(["patch", "--python", sys.executable]) == 0
    assert f"Undo: nixl-stripe patch --undo --python {sys.executable}\n" in capfd.readouterr().out


def test_a_stopped_run_is_seen_by_status_and_finished(
    tmp_path: Path, ours: Path, capfd: Capture
) -> None:
    folder = install_nixl(tmp_path / "site")
    site = str(tmp_path / "site")
    assert folder.record is not None
    listed = folder.record.read_bytes()
    assert main(["patch", site]) == 0
    folder.record.write_bytes(listed)  # as a run leaves it that is stopped before its last step
    capfd.readouterr()
    assert main(["patch", site, "--status"]) == 1
    assert f"to finish it: nixl-stripe patch {site}" in capfd.readouterr().out
    assert main(["patch", site]) == 0
    assert "repaired" in capfd.readouterr().out
    assert main(["patch", site, "--status"]) == 0


def test_one_folder_that_fails_does_not_keep_the_other_from_its_turn(
    tmp_path: Path, ours: Path, capfd: Capture
) -> None:
    (tmp_path / "nixl" / "plugins").mkdir(parents=True)
    (tmp_path / "nixl" / "lib" / "plugins").mkdir(parents=True)
    (tmp_path / "nixl" / "plugins" / PLUGIN).write_bytes(STOCK_BYTES)
    (tmp_path / "nixl" / "lib" / "plugins" / PLUGIN).write_bytes(b"text")
    assert main(["patch", str(tmp_path / "nixl")]) == 1
    said = capfd.readouterr()
    assert "lib/plugins/libplugin_UCX.so is not a plugin of NIXL" in said.err
    assert "nixl/plugins: patched" in said.out
    assert main(["patch", str(tmp_path / "nixl"), "--json"]) == 1
    answer = json.loads(capfd.readouterr().out)
    assert [row["ok"] for row in answer["folders"]] == [False, True]
    assert answer["ok"] is False


def test_a_plugin_folder_that_the_environment_names_is_pointed_out(
    tmp_path: Path, ours: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install_nixl(tmp_path / "site")
    monkeypatch.setenv("NIXL_PLUGIN_DIR", str(folder.path))
    assert main(["patch", str(tmp_path / "site")]) == 0
    assert "NIXL_PLUGIN_DIR" not in capfd.readouterr().err
    monkeypatch.setenv("NIXL_PLUGIN_DIR", str(tmp_path))
    assert main(["patch", str(tmp_path / "site")]) == 0
    assert f"NIXL_PLUGIN_DIR={tmp_path} is set" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--undo", "--status"], 2, "--undo and --status exclude each other"),
        (["x", "--python", "y"], 2, "DIR and --python exclude each other"),
        (["{absent}"], 1, "absent is not a folder"),
        (["--python", "{absent}"], 1, "cannot be run as a Python interpreter"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    tmp_path: Path, ours: Path, capfd: Capture, arguments: list[str], code: int, message: str
) -> None:
    given = [argument.format(absent=tmp_path / "absent") for argument in arguments]
    assert main(["patch", *given]) == code
    said = capfd.readouterr()
    assert said.err.startswith("nixl-stripe: ")
    assert message in said.err
    assert said.err.count("\n") == 1


def test_without_nixl_it_says_what_to_do(ours: Path, site: Path, capfd: Capture) -> None:
    assert main(["patch"]) == 1
    assert "no NIXL is installed for this Python: pip install nixl" in capfd.readouterr().err
