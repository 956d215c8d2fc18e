# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`on_unpatched="stock"`: what a stock NIXL makes of a plan that it is given in its own words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nixl_stripe.lab import Rails
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS

pytestmark = pytest.mark.rails


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_stripe_reaches_every_rail_of_a_stock_nixl(
    rails: Rails,
    unpacked: Callable[[str, str], Path],
    fake_torch: Path,
    name: str,
    version: str,
) -> None:
    outcome = rails.transfer(
        nixl=[unpacked(name, version), fake_torch, name.replace("-", "_")],
        backend_params={"stripe": "all"},
        agent_config={"on_unpatched": "stock"},
        sizes=[4 << 20, 777],
        shim=True,
    ).require()
    assert outcome.rails_used == 4
    assert "stock NIXL's device_list cannot name rail0" in outcome.initiator.log


def test_left_out_it_stays_at_two_bad_flow(rails: Rails, stock: Path) -> None:
    outcome = rails.transfer(
        nixl=stock,
        backend_params={"stripe": "all"},
        agent_config={"on_unpatched": "warn"},
        sizes=[4 << 20, 777],
        shim=True,
    ).require()
    assert outcome.rails_used == 2
    assert "stripe='all': no effect" in outcome.initiator.log
