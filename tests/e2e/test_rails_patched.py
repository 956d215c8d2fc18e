# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The backend parameters of the patched NIXL, by what the rails then carry."""

from __future__ import annotations

from pathlib import Path

import pytest
from nixl_stripe.lab import Outcome, Rails

pytestmark = pytest.mark.rails

SIZES = [8 << 20, 4096, 777]


def _write(rails: Rails, nixl: Path, params: dict[str, str], **environment: str) -> Outcome:
    return rails.transfer(
        nixl=nixl, sizes=SIZES, backend_params=params, environment=environment
    ).require()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_max_rma_rails(rails: Rails, striped: Path, count: int) -> None:
    outcome = _write(rails, striped, {"max_rma_rails": str(count)})
    assert outcome.rails_used == count
    assert outcome.lanes is not None
    assert len(outcome.lanes.share) == count


def test_stock_ignores_the_parameter(rails: Rails, stock: Path) -> None:
    assert _write(rails, stock, {"max_rma_rails": "4"}).rails_used == 2


def test_without_a_parameter_nothing_changes(rails: Rails, striped: Path) -> None:
    assert _write(rails, striped, {}).rails_used == 2


@pytest.mark.parametrize(("parameter", "variable", "expected"), [("4", "1", 4), ("1", "4", 1)])
def test_the_parameter_beats_the_environment(
    rails: Rails, striped: Path, parameter: str, variable: str, expected: int
) -> None:
    params = {"max_rma_rails": parameter}
    assert _write(rails, striped, params, UCX_MAX_RMA_RAILS=variable).rails_used == expected


def test_a_client_that_cannot_pass_parameters(rails: Rails, striped: Path, stock: Path) -> None:
    assert _write(rails, striped, {}, NIXL_UCX_MAX_RMA_RAILS="4").rails_used == 4
    assert _write(rails, stock, {}, NIXL_UCX_MAX_RMA_RAILS="4").rails_used == 2


def test_device_list(rails: Rails, striped: Path) -> None:
    params = {"device_list": "rail3,rail1 rail0", "max_rma_rails": "auto"}
    assert set(_write(rails, striped, params).used) == {"rail0", "rail1", "rail3"}


def test_a_device_that_does_not_exist(rails: Rails, striped: Path) -> None:
    outcome = rails.transfer(
        nixl=striped, sizes=SIZES, backend_params={"device_list": "rail0,rail9"}
    )
    assert outcome.initiator.error is not None
    assert outcome.initiator.error.type == "ValueError"
    assert "rail9" in outcome.initiator.error.text
