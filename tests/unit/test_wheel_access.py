# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Folders that cannot be written, full disks, and several runs at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fake_plugins import OURS_BYTES, contents, install_nixl, untrue_rows, write_ours
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import PLUGIN, State, patch, patch_folder, status_of
from nixl_stripe.wheel.layout import TEMPORARY
from privileges import NOBODY, as_nobody, needs_root

#: Mounts at argv[1] with the mount options argv[3:], lays a NIXL there, and patches it.
IN_A_MOUNT = """
import subprocess, sys
from pathlib import Path
from fake_plugins import contents, install_nixl
from nixl_stripe.errors import StripeError
from nixl_stripe.wheel import patch_folder, status_of
site, ours, then, options = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", site], check=True)
folder = install_nixl(site)
before = contents(site)
if then:
    subprocess.run(["mount", "-o", f"remount,{then}", site], check=True)
try:
    patch_folder(folder, ours)
except StripeError as error:
    print(error)
assert contents(site) == before, "something was left"
print(status_of(folder, ours).state.value)
"""


def run_in_a_mount(site: Path, ours: Path, options: str, remount: str) -> list[str]:
    """Return the lines that IN_A_MOUNT prints, run where mounting is allowed."""
    site.mkdir()
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-c", IN_A_MOUNT]
    probe = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "true"], capture_output=True, check=False
    )
    if probe.returncode != 0:
        pytest.skip(f"no mount namespace here: {probe.stderr.decode().strip()}")
    done = subprocess.run(
        [*command, str(site), str(ours), remount, options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_read_only_file_system_is_named_with_the_way_round_it(tmp_path: Path) -> None:
    ours = write_ours(tmp_path / "ours.so")
    error, state = run_in_a_mount(tmp_path / "site", ours, "size=1m", "ro")
    assert "is on a read-only file system: install a patched wheel" in error
    assert state == "stock"


def test_a_full_disk_leaves_the_stock_plugin_and_no_other_file(tmp_path: Path) -> None:
    ours = write_ours(tmp_path / "ours.so", content=b"ours" * (1 << 20))
    error, state = run_in_a_mount(tmp_path / "site", ours, "size=256k", "")
    assert "No space left on device while trying to put our plugin in its place" in error
    assert state == "stock"


def test_a_folder_of_someone_else_is_refused_and_its_owner_named() -> None:
    needs_root()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        ours = write_ours(base / "ours.so")
        folder = install_nixl(base / "site")
        before = contents(base)
        with as_nobody(), pytest.raises(StripeError, match=r"no permission to write .*\(uid 0\)"):
            patch_folder(folder, ours)
        assert contents(base) == before
        with as_nobody():
            assert status_of(folder, ours).state is State.STOCK
        assert patch_folder(folder, ours).after.is_patched


def test_the_owner_of_the_stock_plugin_owns_ours(tmp_path: Path) -> None:
    needs_root()
    ours = write_ours(tmp_path / "ours.so")
    folder = install_nixl(tmp_path / "site")
    os.chown(folder.path / PLUGIN, NOBODY, NOBODY)
    patch_folder(folder, ours)
    assert (folder.path / PLUGIN).read_bytes() == OURS_BYTES
    assert (folder.path / PLUGIN).stat().st_uid == NOBODY


def test_a_second_run_waits_and_then_says_who_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = write_ours(tmp_path / "ours.so")
    folder = install_nixl(tmp_path / "site")
    monkeypatch.setattr(patch, "LOCK_WAIT", 0.2)
    held = os.open(folder.path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(StripeError, match="another nixl-stripe has been at work"):
        patch_folder(folder, ours)
    os.close(held)
    assert patch_folder(folder, ours).action == "patched"


def test_runs_at_the_same_time_end_in_one_patched_folder(tmp_path: Path) -> None:
    ours = write_ours(tmp_path / "ours.so")
    folder = install_nixl(tmp_path / "site")
    program = (
        "import sys; from pathlib import Path; from nixl_stripe.wheel import find_in, patch_folder;"
        "sys.stdin.readline();"
        "print(patch_folder(find_in(Path(sys.argv[1]))[0], Path(sys.argv[2])).action)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "site"), str(ours)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    actions = sorted(run.communicate()[0].strip() for run in runs)
    assert [run.returncode for run in runs] == [0] * 4
    assert actions == ["patched", "unchanged", "unchanged", "unchanged"]
    assert status_of(folder, ours).is_patched
    assert untrue_rows(folder) == []


def test_where_there_are_no_locks_it_works_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(37, "No locks available")

    ours = write_ours(tmp_path / "ours.so")
    folder = install_nixl(tmp_path / "site")
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert patch_folder(folder, ours).after.is_patched


@pytest.mark.parametrize("kind", ["dangling link", "link", "pipe", "folder"])
def test_what_is_no_file_under_a_temporary_name(tmp_path: Path, kind: str) -> None:
    """A link is removed and never followed; a folder is an error that names it."""
    ours = write_ours(tmp_path / "ours.so")
    folder = install_nixl(tmp_path / "site")
    stranger = tmp_path / "stranger"
    stranger.write_bytes(b"theirs")
    place = folder.path / TEMPORARY[0]
    if kind == "folder":
        place.mkdir()
        with pytest.raises(StripeError, match=r"directory.* while trying to remove what a killed"):
            patch_folder(folder, ours)
        assert status_of(folder, ours).state is State.STOCK
        return
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(stranger if kind == "link" else tmp_path / "absent")
    assert patch_folder(folder, ours).after.is_patched
    assert untrue_rows(folder) == []
    assert stranger.read_bytes() == b"theirs"
