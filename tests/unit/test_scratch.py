# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of a run go with their process, also when it is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from killing import every_kill
from nixl_stripe import scratch
from nixl_stripe.scratch import Scratch, partial, sweep

HOLD = "from nixl_stripe.scratch import Scratch\nprint(Scratch('x').path, flush=True)\ninput()\n"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def holder() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_there_and_then_gone() -> None:
    with Scratch("verify") as folder:
        (folder / "a").mkdir()
        assert folder.name.startswith("nixl-stripe-verify-")
        assert sweep() == []
        assert folder.is_dir()
    assert not folder.exists()


def test_the_next_one_removes_what_a_kill_left_and_nothing_else_bad_flow(temporary: Path) -> None:
    killed, left = holder()
    living, kept = holder()
    others = [temporary / "nixl-stripe-of-others", temporary / "nixl-stripe-link"]
    others[0].mkdir()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".held").touch()
    others[1].symlink_to(elsewhere)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left.is_dir()
    with Scratch("verify"):
        assert not left.exists()
        assert kept.is_dir()
        assert all(each.exists() for each in others)
    living.communicate("\n")
    assert sweep() == [kept]  # it ended without closing


def test_other_users_folders_are_left_alone_bad_flow(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, left = holder()
    process.kill()
    process.communicate()
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    assert sweep() == []
    assert left.is_dir()


def test_folders_of_others_that_hold_a_file_of_ours_are_left_alone_bad_flow(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may make hard links puts a file of ours into a folder of theirs; or a folder, a FIFO."""
    trap = temporary / "nixl-stripe-trap"
    (trap / "theirs").mkdir(parents=True)
    (trap / ".held").touch()
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = real(path)
        other = os.stat_result([*found[:4], found.st_uid + 1, *found[5:]])
        return other if path == trap else found

    with monkeypatch.context() as patched:
        patched.setattr(Path, "lstat", lstat)
        assert sweep() == []
    for make in (Path.mkdir, os.mkfifo):
        held = temporary / f"nixl-stripe-{make.__name__}" / ".held"
        held.parent.mkdir()
        make(held)
    assert sweep() == [trap]


def fill(folder: Path) -> None:
    (folder / "sys" / "class").mkdir(parents=True)
    (folder / "sys" / "class" / "file").touch()
    (folder / "sys" / "link").symlink_to("class")
    (folder / "loose").symlink_to("sys")


def whole_life(_: Path) -> None:
    with Scratch("verify") as folder:
        fill(folder)


def sweep_of_another(_: Path) -> None:
    sweep()


@pytest.mark.parametrize("run", [whole_life, sweep_of_another])
def test_what_a_kill_before_any_line_leaves_is_found_bad_flow(
    run: Callable[[Path], None], temporary: Path
) -> None:
    def make() -> Path:
        if run is sweep_of_another:
            child = os.fork()
            if child == 0:
                fill(Scratch("verify").path)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        return temporary

    left = set()
    for _ in every_kill(make, run):
        left.add(tuple(sorted(path.name for path in temporary.glob("nixl-stripe-*/*"))))
        sweep()
        assert list(temporary.iterdir()) == []
    assert {(), (".held",)} <= left, "no kill came in between: the test shows nothing"


def test_the_kills_find_a_removal_in_another_order_bad_flow(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that takes the lock away before the rest."""

    def remove(folder: Path) -> bool:
        (folder / ".held").unlink()
        shutil.rmtree(folder)
        return True

    monkeypatch.setattr(scratch, "_remove", remove)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda _folder: os._exit(0))
        child = os.fork()
        if child == 0:
            whole_life(temporary)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    sweep()
    assert [path.name[:19] for path in temporary.iterdir()] == ["nixl-stripe-verify-"]


def test_what_cannot_be_removed_is_tried_again_bad_flow(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, Scratch("verify") as folder:
        fill(folder)
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
    assert sorted(path.name for path in folder.iterdir()) == [".held", "sys"]
    assert sweep() == [folder]
    assert list(temporary.iterdir()) == []


def test_a_folder_that_a_sweep_took_before_it_was_locked_is_made_again_bad_flow(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    swept: list[Path] = []

    def sweep_first(path: Path, *rest: Any) -> int:
        if not swept:
            swept.extend([path.parent, *sweep()])
        return real(path, *rest)

    def sweep_then(file: int, how: int) -> None:
        if len(swept) == 2 and how == fcntl.LOCK_EX:
            swept.extend(sweep())
        fcntl_flock(file, how)

    fcntl_flock = fcntl.flock
    monkeypatch.setattr(os, "open", sweep_first)
    monkeypatch.setattr(fcntl, "flock", sweep_then)
    with Scratch("verify") as folder:
        assert len(set(swept)) == 2  # one before its file was made, one before that was locked
        assert list(temporary.iterdir()) == [folder]


WRITE = """
import sys
from pathlib import Path
from nixl_stripe.scratch import partial
with partial(Path(sys.argv[1])) as (draft, file):
    file.write(b"half")
    file.flush()
    print(draft, flush=True)
    input()
"""


def writer(path: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_file_appears_as_a_whole_with_the_rights_of_any_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with partial(path) as (draft, file):
        file.write(b"whole")
        assert draft.parent == tmp_path
        assert not path.exists()
    (tmp_path / "plain").touch()
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.whl", "plain"]


def test_what_has_the_name_is_whole_even_if_a_kill_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is still in a buffer when the file gets its name would be lost by a kill then."""
    seen: list[bytes] = []
    real = Path.replace

    def replace(draft: Path, path: Path) -> Path:
        seen.append(draft.read_bytes())
        return real(draft, path)

    monkeypatch.setattr(Path, "replace", replace)
    with partial(tmp_path / "a.whl") as (_, file):
        file.write(b"whole")
    assert seen == [b"whole"]


def test_a_writer_that_fails_leaves_what_was_there_bad_flow(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(b"before")
    with pytest.raises(FileNotFoundError, match="absent"), partial(path) as (_, file):
        file.write((tmp_path / "absent").read_bytes())
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"before"]


def test_the_next_writer_removes_what_a_kill_left_and_nothing_else_bad_flow(
    tmp_path: Path,
) -> None:
    killed, left = writer(tmp_path / "a.whl")
    living, kept = writer(tmp_path / "b.whl")
    (tmp_path / "elsewhere").touch()
    link = tmp_path / ".of-a-link.1-0123abcd.partial"
    link.symlink_to(tmp_path / "elsewhere")
    names = (".firefox.partial", ".partial", ".a.1-0123ABCD.partial", ".a.whl.1-0123abcd.partial~")
    theirs = [link, *(tmp_path / name for name in names)]
    for each in theirs[1:]:
        each.touch()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left.read_bytes() == b"half"
    with partial(tmp_path / "c.whl"):
        assert not left.exists()
        assert kept.exists()
        assert all(each.is_symlink() or each.exists() for each in theirs)
    living.communicate("\n")
    assert living.returncode == 0
    assert (tmp_path / "b.whl").read_bytes() == b"half"
    assert not kept.exists()


def test_a_file_taken_for_a_left_one_before_it_was_locked_is_made_again_bad_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = fcntl.flock, []

    def flock(file: Any, how: int) -> None:
        tries.append(file)
        if len(tries) == 1:
            Path(file.name).unlink()
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with partial(tmp_path / "a.whl") as (_, file):
        file.write(b"whole")
    assert len(tries) == 2
    assert (tmp_path / "a.whl").read_bytes() == b"whole"
