# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl_stripe.plan` and the plugin in a running NIXL give the same answer on this machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nixl_stripe
import pytest
from nixl_agents import network_interface, run_agents
from nixl_wheels import NIXL_VERSIONS

NIC = network_interface()
PARAMETERS: tuple[dict[str, str], ...] = (
    {"stripe": "all"},
    {"stripe": "1"},
    {"stripe": "off"},
    {"stripe": "all", "max_rma_rails": "3"},
    {"stripe": "all", "device_list": NIC},
    {"max_rma_rails": "auto"},
    {"max_rma_rails": "5", "device_list": NIC},
)
ENVIRONMENTS: tuple[dict[str, str], ...] = (
    {},
    {"NIXL_UCX_MAX_RMA_RAILS": "6"},
    {"NIXL_UCX_STRIPE": "1"},
    {"NIXL_UCX_DEVICE_LIST": NIC},
)
GRID = list(itertools.product(PARAMETERS, ENVIRONMENTS))


def planned(params: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    known: dict[str, Any] = {"stripe": None, **params}
    return nixl_stripe.plan(**known, environment=environment).ucx_settings


def applied(line: str) -> dict[str, str]:
    return dict(part.split(" ") for part in line.split(", "))


def test_same_settings_over_a_grid(patched: Callable[[str, str], Path], fake_torch: Path) -> None:
    outcome = run_agents(
        patched(*NIXL_VERSIONS[0]),
        NIXL_VERSIONS[0][0],
        [params for params, _ in GRID],
        torch=fake_torch,
        step_variables=[environment for _, environment in GRID],
    )
    assert [step.error for step in outcome.steps] == [None] * len(GRID)
    expected = [planned(params, environment) for params, environment in GRID]
    assert [applied(line) for line in outcome.applied] == [plan for plan in expected if plan]
    assert any(expected)
    assert not all(expected)


@pytest.mark.parametrize("params", [{"max_rma_rails": "65"}, {"device_list": "no_such_nic"}])
def test_same_error(
    patched: Callable[[str, str], Path], fake_torch: Path, params: dict[str, str]
) -> None:
    outcome = run_agents(
        patched(*NIXL_VERSIONS[0]), NIXL_VERSIONS[0][0], [params], torch=fake_torch
    )
    with pytest.raises(ValueError, match=next(iter(params))) as raised:
        planned(params, {})
    error = outcome.steps[0].error
    assert error is not None
    assert str(raised.value) in error[1]
