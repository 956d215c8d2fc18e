# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The check of a patch by loading it: what it keeps out, and that nothing has changed then."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, STOCK_BYTES, contents, install_nixl, shared_object, write_ours
from fake_wheels import nixl_wheel_file
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, STOCK, build_wheel, loading, patch_folder
from nixl_stripe.wheel.layout import TEMPORARY
from nixl_stripe.wheel.loading import plugin_options
from nixl_stripe.wheel.locate import PluginFolder, find_in

OURS = {"max_rma_rails": "", "num_workers": "1"}


class Loader:
    """Answers for plugins by their content, and keeps what it was asked for."""

    def __init__(self, **refuses: str) -> None:
        self.refuses = refuses
        self.asked: list[str] = []

    def __call__(self, plugin: Path, _first: Sequence[Path]) -> dict[str, str]:
        kind = "stock" if plugin.read_bytes() == STOCK_BYTES else "ours"
        self.asked.append(f"{kind} {plugin.name}")
        if kind in self.refuses:
            raise StripeError(self.refuses[kind])
        return OURS if kind == "ours" else {"num_workers": "1"}


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return write_ours(tmp_path / "ours.so")


@pytest.fixture
def folder(tmp_path: Path) -> PluginFolder:
    return install_nixl(tmp_path / "site")


def stamps(site: Path) -> dict[str, object]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def test_ours_is_loaded_before_nixl_can_see_it(folder: PluginFolder, ours: Path) -> None:
    loader = Loader()
    assert patch_folder(folder, ours, loader).warnings == ()
    assert loader.asked == [f"stock {PLUGIN}", f"ours {TEMPORARY[0]}"]
    assert (folder.path / PLUGIN).read_bytes() == OURS_BYTES
    assert patch_folder(folder, ours, loader).action == "unchanged"
    assert len(loader.asked) == 2


def test_a_plugin_that_cannot_be_loaded_changes_nothing_bad_flow(
    folder: PluginFolder, tmp_path: Path, ours: Path
) -> None:
    before = stamps(tmp_path / "site")
    with pytest.raises(StripeError, match="the loader's reason"):
        patch_folder(folder, ours, Loader(ours="the loader's reason"))
    assert stamps(tmp_path / "site") == before


def test_an_older_patch_stays_where_the_new_one_cannot_be_loaded_bad_flow(
    folder: PluginFolder, tmp_path: Path, ours: Path
) -> None:
    older = tmp_path / "older.so"
    older.write_bytes(shared_object(b"older", version="0.0.9"))
    patch_folder(folder, older, Loader())
    before = stamps(tmp_path / "site")
    loader = Loader(ours="the loader's reason")
    with pytest.raises(StripeError, match="the loader's reason"):
        patch_folder(folder, ours, loader)
    assert loader.asked == [f"stock {STOCK}", f"ours {TEMPORARY[0]}"]
    assert stamps(tmp_path / "site") == before


def test_a_plugin_that_does_not_offer_our_keys_bad_flow(
    folder: PluginFolder, tmp_path: Path, ours: Path
) -> None:
    before = stamps(tmp_path / "site")
    with pytest.raises(StripeError, match=r"does not offer max_rma_rails: it has num_workers"):
        patch_folder(folder, ours, lambda *_: {"num_workers": "1"})
    assert stamps(tmp_path / "site") == before


def test_an_installed_nixl_that_cannot_be_loaded_here_is_patched_with_a_warning(
    folder: PluginFolder, ours: Path
) -> None:
    outcome = patch_folder(folder, ours, Loader(stock="libcuda.so.1: no such file"))
    assert outcome.after.is_patched
    (warning,) = outcome.warnings
    assert warning.startswith("not checked by loading it: the stock plugin cannot be loaded here: ")
    assert "libcuda.so.1" in warning


def test_a_copy_that_cannot_be_loaded_is_refused_bad_flow(tmp_path: Path, ours: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / PLUGIN).write_bytes(STOCK_BYTES)
    (folder,) = find_in(copy)
    with pytest.raises(StripeError, match=r"cannot be loaded from there.*libucp.*--no-check"):
        patch_folder(folder, ours, Loader(stock="libucp: no such file"))
    assert sorted(contents(copy)) == [PLUGIN]
    assert patch_folder(folder, ours).after.is_patched  # --no-check


# A new wheel.


def test_a_new_wheel_is_loaded_from_its_own_files(tmp_path: Path, ours: Path) -> None:
    loader = Loader()
    built = build_wheel(nixl_wheel_file(tmp_path), tmp_path / "out", ours, load=loader)
    assert loader.asked == [f"stock {STOCK}", f"ours {PLUGIN}"]
    assert built.warnings == ()


def test_a_new_wheel_that_cannot_be_loaded_is_not_written_bad_flow(
    tmp_path: Path, ours: Path
) -> None:
    source = nixl_wheel_file(tmp_path)
    with pytest.raises(StripeError, match=r"a reason; no wheel is written; --no-check"):
        build_wheel(source, tmp_path / "out", ours, load=Loader(ours="a reason"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_new_wheel_that_cannot_be_checked_is_written_with_a_warning(
    tmp_path: Path, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = nixl_wheel_file(tmp_path)
    built = build_wheel(source, tmp_path / "out", ours, load=Loader(stock="no libcuda.so.1"))
    assert built.warnings[0].endswith("the stock plugin cannot be loaded here: no libcuda.so.1")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    loader = Loader()
    built = build_wheel(source, tmp_path / "out", ours, load=loader)
    assert built.warnings[0].endswith("the wheel is for x86_64, this is riscv64")
    assert loader.asked == []


# The loader itself, on shared objects that are compiled for it.


def compiled(path: Path, text: str) -> Path:
    source = path.with_suffix(".cpp")
    source.write_text(text)
    command = [os.environ.get("CXX", "c++"), "-shared", "-fPIC", "-o", str(path), str(source)]
    subprocess.run(command, check=True)
    return path


GOOD = """
#include <string>
#include <unordered_map>
using map = std::unordered_map<std::string, std::string>;
static map options() { return {{"short", ""}, {"a key that no string keeps inside", "a\\tb"}}; }
struct plugin { int api; void *create, *destroy, *name, *version; map (*options)(); };
static plugin it{1, nullptr, nullptr, nullptr, nullptr, options};
extern "C" void *nixl_plugin_init() { return &it; }
"""


def test_the_loader_reads_options(tmp_path: Path) -> None:
    plugin = compiled(tmp_path / "good.so", GOOD)
    assert plugin_options(plugin) == {"short": "", "a key that no string keeps inside": "a\tb"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('extern "C" void *nixl_plugin_init() { return nullptr; }', "nixl_plugin_init returned"),
        ('extern "C" void other() {}', "undefined symbol: nixl_plugin_init"),
        (GOOD.replace("it{1", "it{2"), "plugin API version 2, 1 is known"),
        (
            '#include <csignal>\nextern "C" void *nixl_plugin_init() { raise(SIGSEGV); return 0; }',
            "the process was killed by signal 11",
        ),
        (
            '#include <cstdlib>\nextern "C" void *nixl_plugin_init() { _Exit(3); }',
            "the process ended with status 3",
        ),
        (
            'extern "C" { void absent(); void *nixl_plugin_init() { absent(); return 0; } }',
            "undefined symbol: absent",
        ),
    ],
    ids=["nothing", "no entry", "api", "crash", "exit", "symbol"],
)
def test_the_loader_says_why_not_bad_flow(tmp_path: Path, text: str, says: str) -> None:
    plugin = compiled(tmp_path / "bad.so", text)
    with pytest.raises(StripeError, match=rf"bad\.so cannot be loaded: .*{says}") as refused:
        plugin_options(plugin)
    assert str(refused.value).isprintable()


def test_the_loader_does_not_wait_for_ever_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '#include <unistd.h>\nextern "C" void *nixl_plugin_init() { pause(); return 0; }'
    monkeypatch.setattr(loading, "LIMIT_S", 1.0)
    with pytest.raises(StripeError, match=r"slow\.so was not loaded within 1 s"):
        plugin_options(compiled(tmp_path / "slow.so", text))


def test_what_is_no_library_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("text")
    with pytest.raises(StripeError, match=r"cannot be loaded: .*(invalid ELF|file too short)"):
        plugin_options(tmp_path / "text.so")


def test_the_users_settings_do_not_reach_it() -> None:
    given = {"UCX_TLS": "x", "NIXL_UCX_STRIPE": "all", "PATH": "/bin"}
    assert loading.quiet_environment(given) == {"PATH": "/bin", "UCX_LOG_LEVEL": "fatal"}
