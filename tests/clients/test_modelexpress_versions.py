# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Every ModelExpress from 0.4 on, as published: both ways to every NIC reach its agent."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.integrations import modelexpress
from nixl_stripe.versions import NEWEST
from nixl_wheels import cache_dir, run_program, unpack, wheel_file
from packaging.version import Version

VERSIONS = ("0.4.1", "0.5.1", "0.6.0", "0.7.0")
SiteOf = Callable[[str], list[Path]]

#: One process for all, since torch takes seconds to import.
PROGRAM = """
import importlib, os, sys
import torch
torch.cuda.set_device = lambda device: None  # there is no GPU
transfer = importlib.import_module("modelexpress.nixl_transfer")

def said(name, **variables):
    os.environ.update(variables)
    manager = transfer.NixlTransferManager(name, 0)
    try:
        manager.initialize()
        print(name, dict(manager._agent.get_backend_params("UCX")).get("stripe", ""))
    except Exception as error:
        print(name, type(error).__name__, error)
    for variable in variables:
        del os.environ[variable]

said("variable", NIXL_UCX_MAX_RMA_RAILS="3")
said("bad", NIXL_UCX_STRIPE="?")
from nixl_stripe.integrations import modelexpress
modelexpress.enable()
said("pin", MX_RDMA_NIC_PIN="stripe")
"""


@pytest.fixture(scope="module")
def site(striped: Path, tmp_path_factory: pytest.TempPathFactory) -> SiteOf:
    """`site(version)` are folders for sys.path: that ModelExpress, NIXL and its package of both."""
    base = tmp_path_factory.mktemp("modelexpress")
    both = unpack(wheel_file("nixl", NEWEST), base / "nixl")

    def give(version: str) -> list[Path]:
        folder = base / version
        if not folder.is_dir():
            kept = cache_dir() / "modelexpress"
            if not list(kept.glob(f"modelexpress-{version}-*.whl")):
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
                command += ["--only-binary", ":all:", "--dest", str(kept)]
                subprocess.run([*command, f"modelexpress=={version}"], check=True)
            with zipfile.ZipFile(next(kept.glob(f"modelexpress-{version}-*.whl"))) as wheel:
                wheel.extractall(folder)
        return [folder, both, striped]

    return give


def initialised(sites: list[Path]) -> tuple[dict[str, str], str]:
    """Have managers make their agents; return what each found, and what was logged."""
    done = run_program(PROGRAM, sites=sites, timeout=200, UCX_MODULES="^ib", NIXL_LOG_LEVEL="INFO")
    rows = (line.partition(" ") for line in done.stdout.splitlines())
    return {row[0]: row[2] for row in rows}, done.stderr


def test_these_are_the_versions_that_the_integration_knows() -> None:
    first, end = modelexpress.KNOWN
    assert [Version(each).release[:2] for each in VERSIONS] == [(0, n) for n in range(4, 8)]
    assert first == Version("0.4")
    assert end == Version("0.8")


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ways_reach_its_agent(site: SiteOf, version: str) -> None:
    said, log = initialised(site(version))
    assert said["variable"] == ""
    assert "nixl-stripe] MAX_RMA_RAILS 3" in log
    assert said["bad"].startswith("ValueError")
    assert "NIXL_UCX_STRIPE" in said["bad"]
    assert said["pin"] == "all"


def test_on_a_stock_nixl_it_says_how_to_patch_bad_flow(site: SiteOf, stock: Path) -> None:
    said, log = initialised([*site(VERSIONS[0])[:-1], stock])
    assert "nixl-stripe]" not in log
    assert said["bad"] == ""
    assert said["pin"].startswith("UnpatchedPluginError")
    assert "nixl-stripe patch" in said["pin"]
