# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents in processes that others start: fork, spawn, and through the package `nixl`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.versions import NEWEST
from nixl_wheels import environment

WheelOf = Callable[[str, str], Path]

CHILDREN = """
import multiprocessing, sys

import nixl_stripe

def child(answers, rails):
    try:
        config = nixl_stripe.nixl_agent_config(backend_params={"max_rma_rails": rails})
        agent = nixl_stripe.nixl_agent("child", config)
        answers.put(agent.applied_backend_params["UCX"]["max_rma_rails"])
    except ValueError as error:
        answers.put(str(error))

if __name__ == "__main__":
    if "loaded" in sys.argv:
        import nixl_stripe.agents.agent
    context = multiprocessing.get_context(sys.argv[1])
    answers = context.Queue()
    for rails in (3, 65):
        process = context.Process(target=child, args=(answers, rails))
        process.start()
        print("SAID", answers.get(timeout=60), flush=True)
        process.join(60)
        assert process.exitcode == 0
"""


def run(folder: Path, script: str, sites: list[Path], *arguments: str) -> list[str]:
    program = folder / "program.py"
    program.write_text(script)
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        env=environment(*sites, UCX_MODULES="^ib", UCX_TLS="tcp"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("SAID ")]
    return [line.removeprefix("SAID ") for line in said]  # NIXL writes its log there too


@pytest.mark.parametrize("loaded", ["loaded", "later"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_make_agents(tmp_path: Path, patched: WheelOf, method: str, loaded: str) -> None:
    """`loaded`: NIXL was imported by the parent before."""
    site = patched("nixl-cu12", NEWEST)
    good, bad = run(tmp_path, CHILDREN, [site], method, loaded)
    assert good == "3"
    assert "max_rma_rails='65'" in bad


META = """
import nixl
import nixl_stripe
config = nixl_stripe.nixl_agent_config(backend_params={"max_rma_rails": 5})
agent = nixl_stripe.nixl_agent("a", config)
rails = agent.applied_backend_params["UCX"]["max_rma_rails"]
print("SAID", rails, type(agent).__mro__[1].__module__)
"""


def test_through_the_meta_package(tmp_path: Path, unpacked: WheelOf, patched: WheelOf) -> None:
    """Without CUDA the package `nixl` takes the build for CUDA 13; ours must be on the same."""
    sites = [
        unpacked("nixl", NEWEST),
        patched("nixl-cu13", NEWEST),
        patched("nixl-cu12", NEWEST),
    ]
    (line,) = run(tmp_path, META, sites)
    assert line == "5 nixl_cu13._api"


def test_through_the_meta_package_on_stock_bad_flow(
    tmp_path: Path, unpacked: WheelOf, patched: WheelOf
) -> None:
    """The other flavour being patched does not hide that the one in use is not."""
    sites = [
        unpacked("nixl", NEWEST),
        unpacked("nixl-cu13", NEWEST),
        patched("nixl-cu12", NEWEST),
    ]
    script = META.replace("agent =", "try:\n  agent =")
    script += 'except StripeError as error:\n  print("SAID", type(error).__name__, error)\n'
    script = script.replace("\nrails", "\n  rails").replace("\nprint(", "\n  print(")
    script = "from nixl_stripe.errors import StripeError\n" + script
    (line,) = run(tmp_path, script, sites)
    assert line.startswith("UnpatchedPluginError")
    assert "nixl_cu13" in line or f"nixl {NEWEST}" in line
