# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The plugin in a real NIXL on machines with 16 and 32 NICs: their trees lie over /sys.

UCX itself takes names and settings, and reads them back; it opens none of the NICs, because there
are none, and the plugin's own error for that ends the engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import nixl_stripe
import pytest
from nixl_agents import run_agents
from nixl_wheels import NIXL_VERSIONS
from other_sys import over_sys, why_not
from sysfs_machines import MACHINES
from sysfs_trees import Tree, write

WheelOf = Callable[[str, str], Path]
NEWEST, OLDEST = NIXL_VERSIONS[0], NIXL_VERSIONS[-1]
#: NICs, a GPU, and the NICs of its share.
MACHINE = {"p5": (32, "0000:a8:00.0", 4), "p5en": (16, "0000:8c:00.0", 2)}


@pytest.fixture(params=MACHINE)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Tree]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    name = str(request.param)
    return name, write(MACHINES[name](), tmp_path)


@pytest.mark.parametrize("nixl", [NEWEST, OLDEST], ids=["newest", "oldest"])
def test_a_plan_reaches_ucx_whole(
    nixl: tuple[str, str], machine: tuple[str, Tree], patched: WheelOf, fake_torch: Path
) -> None:
    name, tree = machine
    every, gpu, share = MACHINE[name]
    steps = [
        {"stripe": "all"},
        {"stripe": "fair", "stripe_gpu": gpu},
        {"stripe": "all", "max_rma_rails": "64"},
        {"stripe": "off"},
    ]
    outcome = run_agents(
        patched(*nixl),
        nixl[0],
        steps,
        torch=fake_torch,
        python=[*over_sys(tree), sys.executable],
    )
    for params, step in zip(steps, outcome.steps, strict=True):
        if params == {"stripe": "off"}:
            assert step.error is None
            continue
        plan = nixl_stripe.plan(
            params["stripe"],
            gpu=params.get("stripe_gpu"),
            max_rma_rails=params.get("max_rma_rails", "auto"),
            machine=str(tree.sys),
            environment={},
        )
        assert len(plan.devices) == (every if params["stripe"] == "all" else share)
        assert step.error is not None
        # UCX took every name: what it gave back would else be another error, before this one.
        assert step.error[1].startswith(
            f"UCX backend: UCX did not open {', '.join(plan.devices)}; it opened: memory"
        )
        rails = params.get("max_rma_rails", str(len(plan.devices)))
        assert f"({', '.join(plan.devices)}), MAX_RMA_RAILS {rails}" in outcome.log


def test_without_the_device_nodes_nothing_changes_bad_flow(
    machine: tuple[str, Tree], patched: WheelOf, fake_torch: Path
) -> None:
    _, tree = machine
    for node in (tree.dev / "infiniband").iterdir():
        node.unlink()
    outcome = run_agents(
        patched(*NEWEST),
        NEWEST[0],
        [{"stripe": "all"}],
        torch=fake_torch,
        python=[*over_sys(tree), sys.executable],
    )
    assert outcome.steps[0].error is None
    assert "MAX_RMA_RAILS" not in "".join(outcome.applied)
    assert any("no usable NIC" in warning for warning in outcome.warnings)
