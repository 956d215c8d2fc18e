# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A capture that is stopped half-way is never read as a machine, and what is given up is gone."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import nixl_stripe
import pytest
from nixl_stripe.errors import SourceError
from nixl_stripe.topo import capture as module
from sysfs_machines import MACHINES
from sysfs_trees import Tree, write


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    scratch = tmp_path / "temporary"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return write(MACHINES["dgx_h100"](), tmp_path)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def capture_and_die(target: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a capture in a process that is killed when everything but the manifest is there."""
    child = os.fork()
    if child == 0:
        try:
            monkeypatch.setattr(module, "write_manifest", killed)
            nixl_stripe.capture(target, source=tree.sys)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def test_a_folder_of_a_killed_run_is_refused(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "host"
    capture_and_die(target, tree, monkeypatch)
    assert len(list(target.rglob("infiniband/*"))) > 3, "a machine with NICs, so far"
    with pytest.raises(SourceError, match="host/SHA256SUMS: the capture was stopped half-way"):
        nixl_stripe.machine(target)


def test_an_archive_of_a_killed_run_is_not_there(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    before = nixl_stripe.capture(out / "host.tar.gz", source=tree.sys).read_bytes()
    capture_and_die(out / "host.tar.gz", tree, monkeypatch)
    assert (out / "host.tar.gz").read_bytes() == before, "the earlier one is whole"
    nixl_stripe.capture(out / "host.tar.gz", source=tree.sys)
    assert [path.name for path in out.iterdir()] == ["host.tar.gz"]
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("name", ["host", "host.tar.gz", "empty"])
def test_what_is_given_up_is_gone(
    name: str, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "empty").mkdir(parents=True)
    monkeypatch.setattr(module, "_drop_free_gids", interrupted)
    with pytest.raises(KeyboardInterrupt):
        nixl_stripe.capture(tmp_path / "out" / name, source=tree.sys)
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["empty"]
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("name", ["host", "host.tar.gz", "empty"])
def test_what_is_finished_is_read(name: str, tree: Tree, tmp_path: Path) -> None:
    """The good flow: into an empty folder too, and what is made names no file of this run."""
    (tmp_path / "empty").mkdir()
    made = nixl_stripe.capture(tmp_path / name, source=tree.sys)
    assert len(nixl_stripe.machine(made).nics) == len(nixl_stripe.machine(tree.sys).nics)
    if made.is_file():
        assert b"partial" not in made.read_bytes()[:512]
