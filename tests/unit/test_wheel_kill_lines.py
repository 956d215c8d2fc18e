# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A kill before each line that changes files: NIXL works, and an uninstall takes everything."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_plugins import OURS_BYTES, STOCK_BYTES, contents, install_nixl, shared_object, write_ours
from fake_wheels import nixl_wheel_file
from killing import every_kill, killed_before_line
from nixl_stripe.wheel import PLUGIN, STOCK, find_in, patch_folder, steps, undo_folder
from nixl_stripe.wheel.layout import TEMPORARY
from nixl_stripe.wheel.listing import abandoned_records, new_record_path
from nixl_stripe.wheel.locate import read_record
from nixl_stripe.wheel.record import MOST_ROWS, Record
from pip_environment import Environment

OLDER = shared_object(b"older", version="0.0.9")


def stock(site: Path, _ours: Path) -> None:
    install_nixl(site)


def patched(site: Path, ours: Path) -> None:
    patch_folder(install_nixl(site), ours)


def outdated(site: Path, _ours: Path) -> None:
    older = site.parent / "older.so"
    older.write_bytes(OLDER)
    patch_folder(install_nixl(site), older)


def patch(site: Path, ours: Path) -> None:
    patch_folder(find_in(site)[0], ours)


def undo(site: Path, _ours: Path) -> None:
    undo_folder(find_in(site)[0])


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill is no power failure: what was written is there, on the disk or not."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


RUNS = [(stock, patch), (patched, undo), (outdated, patch), (outdated, undo)]


def unlisted(site: Path) -> list[str]:
    """Return the files that pip would leave: neither listed, nor an `x.pyo` of a listed `x.py`."""
    (folder,) = find_in(site)
    record = read_record(folder)
    assert record is not None
    listed = set(record.paths())
    taken = listed | {re.sub(r"\.py$", ".pyo", name) for name in listed}
    return sorted(set(contents(site)) - taken)


def no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
@pytest.mark.parametrize(
    ("start", "verb"), RUNS, ids=[f"{s.__name__}-{v.__name__}" for s, v in RUNS]
)
def test_a_kill_before_any_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start: Callable[[Path, Path], None],
    verb: Callable[[Path, Path], None],
    links: bool,
) -> None:
    ours = write_ours(tmp_path / "ours.so")
    original = contents(install_nixl(tmp_path / "original").path.parents[1])
    start(tmp_path / "template", ours)
    if not links:
        no_hard_links(monkeypatch)
    number = itertools.count()

    def make() -> Path:
        site = tmp_path / f"site-{next(number)}"
        shutil.copytree(tmp_path / "template", site)
        return site

    seen = set()
    for site in every_kill(make, lambda site: verb(site, ours)):
        (folder,) = find_in(site)
        assert unlisted(site) == []
        plugin = (folder.path / PLUGIN).read_bytes()
        if plugin != STOCK_BYTES:
            assert plugin in (OURS_BYTES, OLDER)
            assert (folder.path / STOCK).read_bytes() == STOCK_BYTES
        seen.add(tuple(contents(site).items()))
        undo_folder(folder)
        assert contents(site) == original
        shutil.rmtree(site)
    assert len(seen) > 3, "every kill hit the same moment: the test shows nothing"


def test_a_run_that_is_not_killed_ends_the_sweep() -> None:
    assert not killed_before_line(10**9, lambda: None)


def test_the_sweep_finds_a_file_that_is_not_listed_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the new RECORD under a name that no uninstaller knows."""
    monkeypatch.setattr(
        steps, "new_record_path", lambda folder, _record: folder.path / TEMPORARY[1]
    )
    ours = write_ours(tmp_path / "ours.so")
    number = itertools.count()

    def make() -> Path:
        site = tmp_path / f"site-{next(number)}"
        install_nixl(site)
        return site

    left = [unlisted(site) for site in every_kill(make, lambda site: patch(site, ours))]
    assert any(TEMPORARY[1] in name for names in left for name in names)


def test_a_real_uninstall_after_each_state_that_a_kill_can_leave(tmp_path: Path) -> None:
    ours = write_ours(tmp_path / "ours.so")
    environment = Environment(tmp_path / "venv")
    wheel = nixl_wheel_file(tmp_path)
    states: dict[tuple[object, ...], Path] = {}
    for start, verb in RUNS[:2]:
        environment.install("--force-reinstall", wheel)
        if start is patched:
            patch(environment.site, ours)
        shutil.copytree(environment.site, tmp_path / start.__name__)
        number = itertools.count()

        def make(start: Callable[[Path, Path], None] = start) -> Path:
            site = tmp_path / f"{start.__name__}-{next(number)}"  # noqa: B023
            shutil.copytree(tmp_path / start.__name__, site)
            return site

        for site in every_kill(make, lambda site, verb=verb: verb(site, ours)):  # type: ignore[misc]
            (folder,) = find_in(site)
            assert folder.record is not None
            names = tuple(sorted(contents(site)))
            states.setdefault((names, folder.record.read_bytes()), site)
    assert len(states) > 6
    assert any(path.suffix == ".pyo" for site in states.values() for path in site.rglob("*"))
    for site in states.values():
        shutil.rmtree(environment.site)
        shutil.copytree(site, environment.site)
        environment.pip("uninstall", "--yes", "nixl-cu12")
        assert environment.files() == environment.empty


# Where a new RECORD is written.


def place(site: Path, text: str | None = None) -> Path:
    (folder,) = find_in(site)
    record = read_record(folder) if text is None else Record.parse(text.encode())
    assert record is not None
    return new_record_path(folder, record)


def test_it_is_written_where_pip_looks_for_what_python_compiled(tmp_path: Path) -> None:
    install_nixl(tmp_path / "site")
    assert place(tmp_path / "site") == tmp_path / "site" / "nixl_cu12" / "__init__.pyo"


def test_in_an_environment_of_uv_it_is_written_where_uv_removes_all(tmp_path: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    assert folder.record is not None
    (folder.record.parent / "INSTALLER").write_text("uv")
    cache = tmp_path / "site" / "nixl_cu12" / "__pycache__"
    assert place(tmp_path / "site") == cache / TEMPORARY[1]
    patch_folder(folder, write_ours(tmp_path / "ours.so"))
    assert not cache.exists()


@pytest.mark.parametrize("half", [0, 10, 100], ids=["empty", "half a row", "some rows"])
def test_what_a_killed_run_left_of_it_is_removed(tmp_path: Path, half: int) -> None:
    folder = install_nixl(tmp_path / "site")
    assert folder.record is not None
    before = contents(tmp_path / "site")
    left = tmp_path / "site" / "nixl_cu12" / "__init__.pyo"
    left.write_bytes(folder.record.read_bytes()[:half])
    left.chmod(0o600)  # as it is made, until it has its content
    assert undo_folder(folder).action == "repaired"
    assert contents(tmp_path / "site") == before


@pytest.mark.parametrize("content", [b"\x03\xf3\r\nsomebody's", b""])
def test_what_is_not_ours_there_is_left_alone(content: bytes, tmp_path: Path) -> None:
    folder = install_nixl(tmp_path / "site")
    theirs = tmp_path / "site" / "nixl_cu12" / "__init__.pyo"
    theirs.write_bytes(content)
    theirs.chmod(0o644)
    ours = write_ours(tmp_path / "ours.so")
    assert place(tmp_path / "site").parent == folder.path  # the only place that is left
    patch_folder(folder, ours)
    undo_folder(folder)
    assert theirs.read_bytes() == content


def test_no_link_is_followed_to_it(tmp_path: Path) -> None:
    """A package that is a link into a store: nothing is written there."""
    folder = install_nixl(tmp_path / "site")
    package = tmp_path / "site" / "nixl_cu12"
    shutil.move(package, tmp_path / "store")
    package.symlink_to(tmp_path / "store")
    assert place(tmp_path / "site") == folder.path / TEMPORARY[1]


@pytest.mark.parametrize("row", ["../../bin/x.py,,", "/etc/x.py,,", "nixl_cu12/absent.py,,"])
def test_rows_that_lead_elsewhere_give_no_place(tmp_path: Path, row: str) -> None:
    folder = install_nixl(tmp_path / "site")
    assert place(tmp_path / "site", f"{row}\n") == folder.path / TEMPORARY[1]


def of_uv(site: Path) -> Path:
    """Say that uv installed it; return where its new RECORD is written."""
    folder = install_nixl(site)
    assert folder.record is not None
    (folder.record.parent / "INSTALLER").write_text("uv")
    return site / "nixl_cu12" / "__pycache__" / TEMPORARY[1]


def test_no_link_in_place_of_a_cache_is_followed_to_it_bad_flow(tmp_path: Path) -> None:
    site = tmp_path / "site"
    place_of_uv = of_uv(site)
    (tmp_path / "elsewhere").mkdir()
    theirs = tmp_path / "elsewhere" / TEMPORARY[1]
    theirs.touch(0o600)
    place_of_uv.parent.symlink_to(tmp_path / "elsewhere")
    (folder,) = find_in(site)
    assert place(site) == folder.path / TEMPORARY[1]
    assert undo_folder(folder).action != "repaired"
    assert theirs.exists()


def looks(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]) -> int:
    """How often `run` asks the disk what a path is."""
    count = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def method(*args: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            return real(*args, **more)

        return method

    with monkeypatch.context() as patched:
        for name in ("is_file", "is_symlink", "exists", "resolve", "open", "stat", "lstat"):
            patched.setattr(Path, name, counted(getattr(Path, name)))
        run()
    return count


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("kind", ["the same", "absent", "other", "there", "free"])
def test_a_record_of_many_modules_is_not_looked_up_row_for_row(
    kind: str, installer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    folder = install_nixl(site)
    assert folder.record is not None
    (folder.record.parent / "INSTALLER").write_text(installer)
    rows = [kind.replace(" ", "") for _ in range(MOST_ROWS)]
    if kind != "the same":
        rows = [f"{row}{number}" for number, row in enumerate(rows)]
    for row in rows[:2000] if kind in ("there", "free") else rows[:1]:
        (site / row).mkdir()
        (site / row / "x.py").touch()
        if kind != "free":
            (site / row / "x.pyo").touch(0o644)
            (site / row / "__pycache__").mkdir()
            (site / row / "__pycache__" / TEMPORARY[1]).touch(0o644)
    end = "x.txt" if kind == "other" else "x.py"
    record = Record.parse("".join(f"{row}/{end},,\n" for row in rows).encode())
    most = {"the same": 50, "absent": 9_000, "other": 50, "there": 30_000, "free": 50}
    least = 0 if kind == "other" else 1  # of no module there is nothing to look for
    assert least <= looks(monkeypatch, lambda: new_record_path(folder, record)) < most[kind]
    assert least <= looks(monkeypatch, lambda: abandoned_records(folder, record)) < most[kind]
    assert abandoned_records(folder, record) == ()
