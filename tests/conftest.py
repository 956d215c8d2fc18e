# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures around the published NIXL wheels; see `nixl_wheels` for the versions and the cache."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.lab import fake_cuda, why_not
from nixl_stripe.versions import NEWEST
from nixl_stripe.wheel import find_in, patch_folder
from nixl_wheels import torch_stand_in, unpack, wheel_file

pytest_plugins = ["skips"]

WheelOf = Callable[[str, str], Path]

# A shell that starts a job in the background has it ignore Ctrl-C, which its children inherit:
# programs that tests interrupt would not notice. A handler of our own is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def nixl_wheel() -> WheelOf:
    """`nixl_wheel("nixl-cu12", "1.3.2")` is the published wheel's file; downloaded when absent."""
    return wheel_file


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> WheelOf:
    """`unpacked(name, version)` is a folder for sys.path with the stock wheel unpacked in it.

    One folder a version for the whole session: read it, never write to it.
    """
    made: dict[tuple[str, str], Path] = {}
    base = tmp_path_factory.mktemp("stock")

    def give(name: str, version: str) -> Path:
        if (name, version) not in made:
            made[name, version] = unpack(wheel_file(name, version), base / f"{name}-{version}")
        return made[name, version]

    return give


@pytest.fixture(scope="session")
def patched(unpacked: WheelOf, tmp_path_factory: pytest.TempPathFactory) -> WheelOf:
    """`patched(name, version)` is the twin of `unpacked(...)`, patched with our installed plugin.

    One folder a version for the whole session: read it, never write to it.
    """
    made: dict[tuple[str, str], Path] = {}
    base = tmp_path_factory.mktemp("patched")

    def give(name: str, version: str) -> Path:
        if (name, version) not in made:
            site = base / f"{name}-{version}"
            # Hard links: patching renames and never writes into a file, so the twin stays stock.
            shutil.copytree(unpacked(name, version), site, copy_function=os.link)
            for folder in find_in(site):
                patch_folder(folder)
            made[name, version] = site
        return made[name, version]

    return give


@pytest.fixture(scope="session")
def stock(unpacked: WheelOf) -> Path:
    """A folder with the newest stock nixl-cu12."""
    return unpacked("nixl-cu12", NEWEST)


@pytest.fixture(scope="session")
def striped(patched: WheelOf) -> Path:
    """A folder with the same NIXL, patched."""
    return patched("nixl-cu12", NEWEST)


@pytest.fixture(scope="session")
def needs_rails() -> None:
    """Skip, with the reason, where this machine cannot make rails."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def fake_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CUDA driver without a GPU, with the runtimes of CUDA 12 and 13."""
    reason = fake_cuda.why_not()
    if reason is not None:
        pytest.skip(reason)
    return fake_cuda.build(tmp_path_factory.mktemp("cuda"))


@pytest.fixture(scope="session")
def fake_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH whose `torch` is enough to import NIXL before 1.4.1, no more."""
    return torch_stand_in(tmp_path_factory.mktemp("torch"))


#: Markers of tests that take minutes and more than a compiler: run where they are asked for.
_ON_REQUEST = ("aarch64", "release")
#: Seconds for one of them: the first compiles everything, which on a busy machine takes minutes.
_ON_REQUEST_LIMIT_S = 900


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of these markers out unless -m or a path names them."""
    asked = [str(config.getoption("markexpr")), *map(str, config.args)]
    unasked = {mark for mark in _ON_REQUEST if not any(mark in word for word in asked)}
    for item in items:
        if any(item.get_closest_marker(mark) for mark in _ON_REQUEST):
            item.add_marker(pytest.mark.timeout(_ON_REQUEST_LIMIT_S))
    left_out = [item for item in items if unasked & {mark.name for mark in item.iter_markers()}]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
