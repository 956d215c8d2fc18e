# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes: eight NICs, all of them near the GPU, and most of them near it."""

from __future__ import annotations

from pathlib import Path

import pytest
from guest_beds import assert_shares, booted

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

ALL = {"stripe": "all"}


def test_eight_nics(stock: Path, striped: Path) -> None:
    with booted(nics=8, numa_nodes=2, gpus="N") as bed:
        stuck = [25.0] * 4 + [0.0] * 4
        rails = {"UCX_MAX_RMA_RAILS": "8"}
        assert_shares(bed, stuck, gpu="N", nixl=stock, environment=rails)
        assert_shares(bed, [12.5] * 8, gpu="N", nixl=striped, backend_params=ALL)


def test_every_nic_near_the_gpu(stock: Path, striped: Path) -> None:
    with booted(nics=4, numa_nodes=2, layout="near", gpus="H") as bed:
        upside_down = {"UCX_MAX_RMA_RAILS": "4", "UCX_MAX_HCA_PER_GPU": "inf"}
        shares = [11.5, 11.5, 38.5, 38.5]
        assert_shares(bed, shares, gpu="H", nixl=stock, environment=upside_down)
        assert_shares(bed, [25.0] * 4, gpu="H", nixl=striped, backend_params=ALL)


def test_one_of_four_is_far(stock: Path, striped: Path) -> None:
    with booted(nics=4, numa_nodes=2, layout="mixed", gpus="N") as bed:
        stuck = [100 / 3, 100 / 3, 100 / 3, 0.0]
        rails = {"UCX_MAX_RMA_RAILS": "4"}
        assert_shares(bed, stuck, gpu="N", nixl=stock, environment=rails)
        assert_shares(bed, [25.0] * 4, gpu="N", nixl=striped, backend_params=ALL)
