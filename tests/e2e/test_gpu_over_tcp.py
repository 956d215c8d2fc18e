# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""GPU memory where only TCP can carry it, as in clouds without RDMA; a fake driver is the GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.lab import Outcome, Rails, fake_cuda
from nixl_stripe.lab.job import OPS, Op

pytestmark = pytest.mark.rails

MIB = 1 << 20


@pytest.fixture(scope="module")
def cuda(fake_driver: Path) -> dict[str, str]:
    """Variables that make a process see a GPU."""
    return fake_cuda.environment(fake_driver, ["0000:00:06.0"])


def gpu_memory(rails: Rails, cuda: dict[str, str], op: Op, **how: Any) -> Outcome:
    return rails.transfer(sizes=[8 * MIB], op=op, memory="vram", environment=cuda, **how).require()


@pytest.mark.parametrize("op", OPS)
def test_stripe_all_uses_every_interface(
    rails: Rails, striped: Path, cuda: dict[str, str], op: Op
) -> None:
    outcome = gpu_memory(rails, cuda, op, nixl=striped, backend_params={"stripe": "all"})
    assert list(outcome.share.values()) == pytest.approx([0.25] * 4, abs=0.02)
    assert outcome.lanes is not None
    assert len(outcome.lanes.share) == 4


@pytest.mark.parametrize("op", OPS)
def test_rails_alone_leave_it_on_one_bad_flow(
    rails: Rails, stock: Path, cuda: dict[str, str], op: Op
) -> None:
    params = {"engine_config": "MAX_RMA_RAILS=4"}
    assert gpu_memory(rails, cuda, op, nixl=stock, backend_params=params).rails_used == 1
