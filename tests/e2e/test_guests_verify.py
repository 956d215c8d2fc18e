# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Verification over RDMA verbs: Soft-RoCE's bytes by its interfaces, GPU memory, a dead NIC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guest_beds import CACHE, ready_or_skip
from nixl_stripe.lab.guests import Guests
from nixl_stripe.lab.job import Nixl
from nixl_stripe.verify import OpResult, Request, verify

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

MIB = 1 << 20
NICS = ("rxe0", "rxe1", "rxe2", "rxe3")


@pytest.fixture(scope="module")
def ground() -> Iterator[Guests]:
    ready_or_skip()
    with Guests(4, gpus="N", cache=CACHE, boot_limit_s=180, warm=True) as ground:
        yield ground


def results(ground: Guests, nixl: Path, **more: Any) -> tuple[OpResult, ...]:
    wish: dict[str, Any] = {"size": 4 * MIB, "repeats": 1, "stock": False, **more}
    return verify(Request(nixl=Nixl.find(nixl), **wish), ground).results


def test_gpu_memory_on_four_nics_read_and_write(ground: Guests, striped: Path) -> None:
    read, write = results(ground, striped, memory="vram", stock=True)
    assert (read.op, write.op) == ("READ", "WRITE")
    for result in (read, write):
        assert result.ok, result.describe()
        assert (result.proof, result.planned) == ("bytes", NICS)
        assert [result.figures.share[name] for name in NICS] == pytest.approx([0.25] * 4, abs=0.02)
        assert set(result.figures.lanes) == set(NICS)
        assert result.forecast is not None
        assert set(result.forecast) == set(NICS)
        assert result.stock is not None
        assert set(result.stock.lanes) == {"rxe0", "rxe1"}


def test_the_plateau_of_a_stock_plugin_bad_flow(ground: Guests, stock: Path) -> None:
    (result,) = results(ground, stock, memory="vram", ops=("READ",))
    assert (result.ok, result.figures.verified) == (False, True)
    assert result.short == ("rxe2", "rxe3")
    assert "is the stock one" in result.causes[0].text
    assert result.causes[0].fix == f"nixl-stripe patch {stock}"


def test_a_nic_that_died_at_the_target_bad_flow(ground: Guests, striped: Path) -> None:
    ground.set_link(3, False, sides=("target",))
    try:
        (result,) = results(ground, striped, ops=("WRITE",))
    finally:
        ground.set_link(3, True, sides=("target",))
    assert not result.ok, result.describe()
    assert result.short == ("rxe3",)
    assert any("the target does not use its rxe3" in cause.text for cause in result.causes)
    (again,) = results(ground, striped, ops=("WRITE",))
    assert again.ok, again.describe()
