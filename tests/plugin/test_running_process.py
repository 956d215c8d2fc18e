# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""NIXL is patched, and the patch undone, while a process runs with the plugin loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import PLUGIN, find_in, patch_folder, undo_folder
from nixl_wheels import environment

WheelOf = Callable[[str, str], Path]

#: Makes an agent and, for each line that it is told, says what it has mapped and makes another
#: agent, which reads the first one's memory; then a child that is forked makes one as well.
PROCESS = """
import os, sys
from nixl_cu12._api import nixl_agent, nixl_agent_config
import ctypes

SIZE = 1 << 20
source = ctypes.create_string_buffer(os.urandom(SIZE), SIZE)

def agent(name):
    made = nixl_agent(name, nixl_agent_config(backends=[]))
    made.create_backend("UCX", {})
    return made

def mapped():
    rows = (line.split(None, 5) for line in open("/proc/self/maps") if "libplugin_UCX" in line)
    return sorted({row[5].strip().rpartition("/")[2] for row in rows})

def register(made, buffer):
    address = ctypes.addressof(buffer)
    made.register_memory([(address, SIZE, 0, "")], "DRAM")
    return made.get_xfer_descs([(address, SIZE, 0)], "DRAM")

first = agent("first")
descriptors = register(first, source)

def read_by(name):
    made = agent(name)
    target = ctypes.create_string_buffer(SIZE)
    mine = register(made, target)
    made.add_remote_agent(first.get_agent_metadata())
    handle = made.initialize_xfer("READ", mine, descriptors, "first")
    state = made.transfer(handle)
    while state == "PROC":
        state = made.check_xfer_state(handle)
    assert state == "DONE", state
    assert target.raw == source.raw
    rails = made.get_plugin_params("UCX").get("max_rma_rails", "no such key")
    made.release_xfer_handle(handle)
    return f"{name} read, {rails!r}, mapped {mapped()}"

print("SAID", mapped(), flush=True)
for number, line in enumerate(sys.stdin):
    print("SAID", read_by(f"next{number}"), flush=True)
os._exit(0)
"""


@contextmanager
def running(site: Path, folder: Path) -> Iterator[Callable[[], str]]:
    """Start PROCESS; yield what asks it for the next line."""
    program = folder / "program.py"
    program.write_text(PROCESS)
    with subprocess.Popen(
        [sys.executable, str(program)],
        env=environment(site, UCX_MODULES="^ib", UCX_TLS="tcp,self"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def said() -> str:
            for line in process.stdout or ():
                if line.startswith("SAID "):  # NIXL writes its log there too
                    return line.removeprefix("SAID ").strip()
            raise AssertionError(f"the process ended: {process.wait()}")

        def ask() -> str:
            assert process.stdin is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
            return said()

        said()
        yield ask
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture
def site(tmp_path: Path, unpacked: WheelOf) -> Path:
    """A stock NIXL of its own, hard links into the shared one."""
    copy = tmp_path / "site"
    shutil.copytree(unpacked("nixl-cu12", NEWEST), copy, copy_function=os.link)
    return copy


@pytest.mark.parametrize("start", ["stock", "patched"])
def test_a_process_goes_on_while_its_nixl_is_patched_and_undone(
    tmp_path: Path, site: Path, start: str
) -> None:
    (folder,) = find_in(site)
    if start == "patched":
        patch_folder(folder)
    with running(site, tmp_path) as ask:
        before = ask()
        turns = [patch_folder, undo_folder, patch_folder]
        for turn in turns if start == "stock" else [undo_folder, *turns]:
            turn(folder)
            after = ask()
            assert " read, " in after
            # It keeps what it has loaded: NIXL holds on to the plugin.
            assert (
                after.partition(", ")[2].partition(", mapped")[0]
                == (before.partition(", ")[2].partition(", mapped")[0])
            )
    keys = "'no such key'" if start == "stock" else "''"
    assert f"read, {keys}" in before


def test_a_plugin_that_is_written_in_place_does_not_go_unnoticed_bad_flow(
    tmp_path: Path, site: Path
) -> None:
    """What renaming avoids: a file that is cut short under a process kills it."""
    (folder,) = find_in(site)
    whole = (folder.path / PLUGIN).read_bytes()
    (folder.path / PLUGIN).unlink()  # not the file that other tests share
    (folder.path / PLUGIN).write_bytes(whole)
    with pytest.raises(AssertionError, match="the process ended: -"):
        truncate_under_a_process(site, tmp_path, folder.path / PLUGIN)


def truncate_under_a_process(site: Path, scratch: Path, plugin: Path) -> None:
    with running(site, scratch) as ask:
        ask()
        with plugin.open("r+b") as file:
            file.truncate(4096)
        ask()
