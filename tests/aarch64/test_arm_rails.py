# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Two emulated Arm processes with the published Arm NIXL, patched, over four real rails.

Shares only: emulation is too slow for a rate to mean anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arm_machine import ArmMachine
from nixl_stripe.lab import Outcome, Rails

pytestmark = [pytest.mark.aarch64, pytest.mark.rails]

MIB = 1 << 20


@pytest.fixture(scope="module")
def rails() -> Iterator[Rails]:
    with Rails(count=4, mbit=200) as bed:
        yield bed


@pytest.fixture(scope="module")
def transfer(rails: Rails, arm: ArmMachine, arm_site: Path) -> Any:
    def run(nixl: Path, params: dict[str, str], **more: Any) -> Outcome:
        return rails.transfer(
            sizes=[8 * MIB, 4096, 777],
            nixl=[nixl, "nixl_cu12"],
            backend_params=params,
            environment={"PYTHONPATH": str(arm_site)},
            interpreter=arm.python,
            limit_s=60,
            **more,
        )

    return run


@pytest.mark.parametrize("params", [{"max_rma_rails": "4"}, {"stripe": "all"}], ids=str)
def test_four_rails_carry_a_quarter_each(
    transfer: Any, patched_arm: Path, params: dict[str, str]
) -> None:
    """The worker compares every byte that arrived."""
    outcome = transfer(patched_arm, params).require()
    assert outcome.rails_used == 4
    assert outcome.lanes is not None
    for name in outcome.used:
        assert outcome.lanes.share[name] == pytest.approx(0.25, abs=0.02)
        assert outcome.share[name] == pytest.approx(0.25, rel=0.1)


def test_stock_stays_at_two(transfer: Any, stock_arm: Path) -> None:
    assert transfer(stock_arm, {"max_rma_rails": "4"}).require().rails_used == 2


def test_the_shim_works_on_arm(transfer: Any, patched_arm: Path) -> None:
    """nixl_stripe's own agent class, on the extension module of our Arm wheel."""
    assert transfer(patched_arm, {"max_rma_rails": "3"}, shim=True).require().rails_used == 3


def test_a_corrupt_payload_is_noticed(transfer: Any, patched_arm: Path) -> None:
    outcome = transfer(patched_arm, {"max_rma_rails": "4"}, corrupt=True)
    assert outcome.error is not None
    assert outcome.error.type == "PayloadMismatchError"
