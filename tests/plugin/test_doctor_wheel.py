# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`doctor` on real wheels, stock and patched, as a user runs it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.doctor import Row, Surroundings, check_named, examine
from nixl_stripe.doctor.bundled import bundled_ucx
from nixl_stripe.versions import NEWEST
from nixl_wheels import NIXL_IDS, WHEELS, environment, plugin_folder
from packaging.version import Version
from sysfs_machines import MACHINES
from sysfs_trees import write

WheelOf = Callable[[str, str], Path]

PROGRAM = "from nixl_stripe.cli import main; raise SystemExit(main())"
#: Seconds of a processor that a user is willing to wait for.
PATIENCE = 6.0


def answer(site: Path, name: str, **variables: str) -> Row:
    surroundings = Surroundings(search_path=[str(site)], environ=variables)
    (row,) = examine(surroundings, [check_named(name)]).rows
    return row


@pytest.mark.parametrize(("wheel", "ucx"), WHEELS.items(), ids=NIXL_IDS)
def test_the_version_of_the_bundled_ucx(
    unpacked: WheelOf, patched: WheelOf, wheel: tuple[str, str], ucx: str
) -> None:
    for site in (unpacked(*wheel), patched(*wheel)):
        found = bundled_ucx(plugin_folder(site, wheel[0]))
        assert found.version == ucx
        assert "UCX_MAX_RMA_RAILS" in found.settings
        has_limit = wheel[1] not in ("0.10.1", "1.0.1")  # 1.0.1 has a UCX 1.21 without it
        assert ("UCX_MAX_HCA_PER_GPU" in found.settings) == has_limit
        assert ("UCX_RMA_PPLN_ENABLE" in found.settings) == (Version(ucx) >= Version("1.23"))


def test_what_an_old_ucx_lacks(unpacked: WheelOf, tmp_path: Path) -> None:
    newest, old = (unpacked("nixl-cu12", version) for version in (NEWEST, "0.10.1"))
    assert answer(newest, "ucx-version").status == "ok"
    assert answer(old, "ucx-version").status == "ok"
    write(MACHINES["no_nics"](), tmp_path)  # a GPU, and TCP only
    here = [Surroundings(root=tmp_path, search_path=[str(site)]) for site in (newest, old)]
    rows = [examine(at, [check_named("ucx-version")]).rows[0] for at in here]
    assert [row.status for row in rows] == ["ok", "warn"]
    assert rows[1].detail.startswith("nixl-cu12 0.10.1: UCX 1.20.0 lacks the RMA pipeline")
    assert rows[1].fix == "pip install --upgrade nixl"


def test_a_stock_wheel_and_its_patched_twin(unpacked: WheelOf, patched: WheelOf) -> None:
    stock = answer(unpacked("nixl-cu12", NEWEST), "plugin")
    assert (stock.status, stock.fix) == ("fail", "nixl-stripe patch")
    ours = answer(patched("nixl-cu12", NEWEST), "plugin")
    assert (ours.status, ours.fix) == ("ok", "")


def test_the_folder_that_a_variable_names_counts(unpacked: WheelOf, patched: WheelOf) -> None:
    site = unpacked("nixl-cu12", NEWEST)
    ours = plugin_folder(patched("nixl-cu12", NEWEST), "nixl-cu12")
    stock = plugin_folder(unpacked("nixl-cu12", "1.3.2"), "nixl-cu12")
    assert answer(site, "plugin-dir", NIXL_PLUGIN_DIR=str(ours)).status == "ok"
    assert answer(site, "plugin-dir", NIXL_PLUGIN_DIR=str(stock)).status == "fail"


def run(site: Path, *arguments: str) -> tuple[int, str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "doctor", *arguments],
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, done.stdout, seconds


def test_the_command_as_a_user_types_it(unpacked: WheelOf, patched: WheelOf) -> None:
    code, text, seconds = run(unpacked("nixl-cu12", NEWEST))
    assert code == 1
    assert "-> nixl-stripe patch" in text
    assert seconds < PATIENCE
    code, text, _ = run(patched("nixl-cu12", NEWEST), "--json")
    assert code == 0
    assert json.loads(text)["ok"]
