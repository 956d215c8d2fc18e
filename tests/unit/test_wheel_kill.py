# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A run that is killed, at every step and at any moment, leaves a NIXL that works."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_plugins import (
    OURS_BYTES,
    STOCK_BYTES,
    contents,
    install_nixl,
    shared_object,
    untrue_rows,
    write_ours,
)
from nixl_stripe.wheel import PLUGIN, STOCK, State, patch_folder, status_of, undo_folder
from nixl_stripe.wheel.layout import TEMPORARY
from nixl_stripe.wheel.locate import PluginFolder
from nixl_stripe.wheel.state import inspect
from nixl_stripe.wheel.steps import Step, patch_steps, undo_steps

OLDER = shared_object(b"older", version="0.0.9")
NEXT_STOCK = shared_object(b"stock of the next NIXL")

#: Runs the first steps of a patch or an undo and is then killed by a signal that none can catch.
KILLED = """
import os, signal, sys
from pathlib import Path
from nixl_stripe.wheel.locate import find_in
from nixl_stripe.wheel.state import inspect
from nixl_stripe.wheel.steps import patch_steps, undo_steps
ours = Path(sys.argv[2]).read_bytes()
status = inspect(find_in(Path(sys.argv[1]))[0], ours)
steps = patch_steps(status, ours) if sys.argv[3] == "patch" else undo_steps(status)
for step in steps[: int(sys.argv[4])]:
    step.run()
os.kill(os.getpid(), signal.SIGKILL)
"""

#: Patches and undoes for ever, until it is killed.
RESTLESS = """
import sys
from pathlib import Path
from nixl_stripe.wheel import find_in, patch_folder, undo_folder
(folder,) = find_in(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    patch_folder(folder, Path(sys.argv[2]))
    undo_folder(folder)
"""


def make_stock(site: Path) -> PluginFolder:
    return install_nixl(site)


def make_patched(site: Path) -> PluginFolder:
    folder = install_nixl(site)
    patch_folder(folder, site.parent / "ours.so")
    return folder


def make_outdated(site: Path) -> PluginFolder:
    folder = install_nixl(site)
    older = site.parent / "older.so"
    older.write_bytes(OLDER)
    patch_folder(folder, older)
    return folder


def make_replaced(site: Path) -> PluginFolder:
    folder = make_patched(site)
    (folder.path / PLUGIN).write_bytes(NEXT_STOCK)
    return folder


def make_unfinished(site: Path) -> PluginFolder:
    folder = install_nixl(site)
    for step in patch_steps(inspect(folder, OURS_BYTES), OURS_BYTES)[:2]:
        step.run()
    (folder.path / TEMPORARY[0]).write_bytes(b"half a plug")
    return folder


MAKERS = [make_stock, make_patched, make_outdated, make_replaced, make_unfinished]
IDS = ["stock", "patched", "outdated", "replaced", "unfinished"]
MOST_STEPS = 6


def assert_works(folder: PluginFolder) -> None:
    """NIXL loads the folder: a stock plugin, or one of ours with a whole stock one beside it."""
    plugin = (folder.path / PLUGIN).read_bytes()
    if plugin in (OURS_BYTES, OLDER):
        assert (folder.path / STOCK).read_bytes() in (STOCK_BYTES, NEXT_STOCK)
    else:
        assert plugin in (STOCK_BYTES, NEXT_STOCK)


def assert_all_listed(folder: PluginFolder) -> None:
    """RECORD lists every file there is, so that an uninstall takes them all."""
    assert folder.record is not None
    listed = folder.record.read_text()
    assert [
        path.name for path in folder.path.iterdir() if folder.key(path.name) not in listed
    ] == []


def steps_of(folder: PluginFolder, verb: str) -> list[Step]:
    status = inspect(folder, OURS_BYTES)
    return patch_steps(status, OURS_BYTES) if verb == "patch" else undo_steps(status)


@pytest.mark.parametrize("finish", ["patch", "undo"])
@pytest.mark.parametrize("verb", ["patch", "undo"])
@pytest.mark.parametrize("make", MAKERS, ids=IDS)
def test_a_run_abandoned_after_any_step_can_be_finished_or_undone(
    tmp_path: Path, make: Callable[[Path], PluginFolder], verb: str, finish: str
) -> None:
    ours = write_ours(tmp_path / "ours.so")
    count = len(steps_of(make(tmp_path / "probe"), verb))
    assert count <= MOST_STEPS
    for done in range(count + 1):
        site = tmp_path / f"after-{done}"
        folder = make(site)
        for step in steps_of(folder, verb)[:done]:
            step.run()
        assert_works(folder)
        if make is not make_replaced and done > 0:
            assert_all_listed(folder)
        if finish == "patch":
            assert patch_folder(folder, ours).after.is_patched
            assert (folder.path / PLUGIN).read_bytes() == OURS_BYTES
        else:
            assert undo_folder(folder).after.state is State.STOCK
            assert sorted(contents(folder.path)) == ["libplugin_POSIX.so", PLUGIN]
        assert untrue_rows(folder) == []


def test_undo_after_a_killed_patch_gives_back_every_byte(tmp_path: Path) -> None:
    write_ours(tmp_path / "ours.so")
    original = contents(make_stock(tmp_path / "probe").path.parents[1])
    count = len(steps_of(make_stock(tmp_path / "count"), "patch"))
    assert count == 4
    for done in range(count + 1):
        folder = make_stock(tmp_path / f"after-{done}")
        for step in steps_of(folder, "patch")[:done]:
            step.run()
        undo_folder(folder)
        assert contents(folder.path.parents[1]) == original


@pytest.mark.parametrize("verb", ["patch", "undo"])
def test_a_process_killed_between_two_steps(tmp_path: Path, verb: str) -> None:
    ours = write_ours(tmp_path / "ours.so")
    make = make_stock if verb == "patch" else make_patched
    count = len(steps_of(make(tmp_path / "probe"), verb))
    assert count >= 2
    seen = set()
    for done in range(count + 1):
        folder = make(tmp_path / f"after-{done}")
        command = [sys.executable, "-c", KILLED, str(tmp_path / f"after-{done}"), str(ours)]
        killed = subprocess.run([*command, verb, str(done)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert_works(folder)
        seen.add(status_of(folder, ours).state)
        assert patch_folder(folder, ours).after.is_patched
        assert untrue_rows(folder) == []
    wanted = {State.STOCK, State.UNFINISHED, State.PATCHED}
    assert seen == (wanted if verb == "patch" else {State.STOCK, State.PATCHED})


def test_processes_killed_at_random_moments(tmp_path: Path) -> None:
    ours = write_ours(tmp_path / "ours.so", content=os.urandom(1 << 20))
    stock = shared_object(os.urandom(1 << 20))
    folder = install_nixl(tmp_path / "site", stock=stock)
    original = contents(tmp_path / "site")
    moments = random.Random(20260725)
    states = set()
    for _ in range(25):
        command = [sys.executable, "-c", RESTLESS, str(tmp_path / "site"), str(ours)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0.0, 0.05))
            process.kill()
        plugin = (folder.path / PLUGIN).read_bytes()
        if plugin == ours.read_bytes():
            assert (folder.path / STOCK).read_bytes() == stock
        else:
            assert plugin == stock
        status = status_of(folder, ours)
        states.add((status.state, bool(status.leftovers), status.record_is_true))
        undo_folder(folder)
        assert contents(tmp_path / "site") == original
    assert len(states) > 1, "every kill hit the same moment: the test shows nothing"
