# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Our plugin for Arm in the published NIXL for Arm, under qemu-user."""

from __future__ import annotations

from pathlib import Path

import pytest
from arm_machine import ArmMachine
from nixl_agents import Outcome, run_agents
from nixl_stripe.wheel.elf import read_shared_object

pytestmark = pytest.mark.aarch64

PLUGINS = ".nixl_cu12.mesonpy.libs/plugins"
STEPS: list[dict[str, str]] = [
    {},
    {"max_rma_rails": "4"},
    {"max_rma_rails": "65"},
    {"max_rma_rails": "3"},
    {"device_list": "no_such_nic"},
    {"stripe": "off"},
]


@pytest.fixture(scope="module")
def outcome(arm: ArmMachine, patched_arm: Path, arm_site: Path) -> Outcome:
    """One process that creates an agent for each of STEPS."""
    return run_agents(patched_arm, "nixl-cu12", STEPS, torch=arm_site, python=arm.python)


def test_everything_is_for_arm(arm: ArmMachine, patched_arm: Path, stock_arm: Path) -> None:
    """The bad flow: a test that by mistake ran the machine's own NIXL would pass the rest."""
    for name in ("libplugin_UCX.so", "libplugin_UCX.so.stock"):
        facts = read_shared_object((patched_arm / PLUGINS / name).read_bytes())
        assert facts is not None
        assert facts.machine == "aarch64"
    stock = (stock_arm / PLUGINS / "libplugin_UCX.so").read_bytes()
    assert (patched_arm / PLUGINS / "libplugin_UCX.so.stock").read_bytes() == stock
    said = arm.run("-c", "import platform, sys; print(platform.machine(), sys.version_info[:2])")
    assert said.stdout.split() == ["aarch64", "(3,", "11)"]


def test_the_plugin_loads_and_advertises(outcome: Outcome) -> None:
    assert {"max_rma_rails", "stripe", "device_list", "num_workers"} <= set(outcome.advertised)


def test_the_stock_one_knows_no_rails(arm: ArmMachine, stock_arm: Path, arm_site: Path) -> None:
    steps = [{"max_rma_rails": "4"}]
    stock = run_agents(stock_arm, "nixl-cu12", steps, torch=arm_site, python=arm.python)
    assert "max_rma_rails" not in stock.advertised
    assert stock.steps[0].error is None, "stock ignores it, silently"
    assert stock.applied == []


def test_four_rails_are_applied_and_read_back_from_ucx(outcome: Outcome) -> None:
    """The plugin logs a value after UCX has given it back, and fails the agent where it differs."""
    assert [step.error is None for step in outcome.steps] == [True, True, False, True, False, True]
    assert outcome.steps[1].params == {"max_rma_rails": "4"}
    assert outcome.applied == ["MAX_RMA_RAILS 4", "MAX_RMA_RAILS 3"]


def test_errors_arrive_as_value_error_and_agents_stay_usable(outcome: Outcome) -> None:
    rails, device = outcome.steps[2].error, outcome.steps[4].error
    assert rails is not None
    assert device is not None
    assert rails[0] == device[0] == "ValueError"
    assert "max_rma_rails='65': accepted: a whole number from 1 to 64" in rails[1]
    assert "device_list='no_such_nic': there is no device 'no_such_nic'" in device[1]
    assert outcome.steps[3].params == {"max_rma_rails": "3"}


def test_ucx_refusing_a_value_is_an_error_here_too(
    arm: ArmMachine, patched_arm: Path, arm_site: Path
) -> None:
    """Devices that UCX did not open are found through UCX's own report of the context."""
    steps = [{"device_list": "lo"}]
    done = run_agents(
        patched_arm, "nixl-cu12", steps, torch=arm_site, python=arm.python, UCX_TLS="self,sm"
    )
    error = done.steps[0].error
    assert error is not None
    assert error[0] == "ValueError"
    assert "UCX did not open lo" in error[1] or "does not initialise" in error[1]
