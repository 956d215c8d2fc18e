# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes: seventeen NICs, all of them near the GPU, most of them near it."""

from __future__ import annotations

from pathlib import Path

import pytest
from guest_beds import assert_shares, booted, both_ways, percent

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

ALL = {"stripe": "all"}


def test_seventeen_nics(stock: Path, striped: Path) -> None:
    """More than UCX takes of one component (16) and than a value or a report of UCX can name.

    In one batch a large buffer, 128 KiB a NIC, and small ones, which take turns.
    """
    nics = 17
    large, small = nics << 17, [4 << 10] * 8 * nics
    with booted(nics=nics, numa_nodes=2, gpus="N") as bed:
        done = both_ways(bed, sizes=[large, *small], gpu="N", nixl=striped, backend_params=ALL)
        for op, outcome in done.items():
            assert percent(outcome) == pytest.approx([100 / nics] * nics, rel=0.05), op
        rails = {"UCX_MAX_RMA_RAILS": str(nics)}
        stuck = bed.transfer(op="WRITE", sizes=[large], gpu="N", nixl=stock, environment=rails)
        shares = percent(stuck.require())
        assert min(shares[:9]) > 5, shares
        assert shares[9:] == pytest.approx([0] * 8, abs=0.5), shares


def test_every_nic_near_the_gpu(stock: Path, striped: Path) -> None:
    with booted(nics=4, numa_nodes=2, layout="near", gpus="HN") as bed:
        upside_down = {"UCX_MAX_RMA_RAILS": "4", "UCX_MAX_HCA_PER_GPU": "inf"}
        shares = [11.5, 11.5, 38.5, 38.5]
        assert_shares(bed, shares, gpu="H", nixl=stock, environment=upside_down)
        assert_shares(bed, [25.0] * 4, gpu="H", nixl=striped, backend_params=ALL)
        # All are alike to the GPU at N, the second of the two: UCX 1.23 counts those that it sees.
        mine, other = bed.gpu("initiator", "N"), bed.gpu("initiator", "H")
        for seen, taken in (((mine,), (0, 1)), ((mine, other), (1, 2))):
            see = {"FAKE_CUDA_GPUS": ",".join(seen)}
            done = bed.transfer(op="WRITE", sizes=[1 << 20], gpu="N", nixl=stock, environment=see)
            wanted = [50.0 if nic in taken else 0.0 for nic in range(4)]
            assert percent(done.require()) == pytest.approx(wanted, abs=2), seen


def test_one_of_four_is_far(stock: Path, striped: Path) -> None:
    with booted(nics=4, numa_nodes=2, layout="mixed", gpus="N") as bed:
        stuck = [100 / 3, 100 / 3, 100 / 3, 0.0]
        rails = {"UCX_MAX_RMA_RAILS": "4"}
        assert_shares(bed, stuck, gpu="N", nixl=stock, environment=rails)
        assert_shares(bed, [25.0] * 4, gpu="N", nixl=striped, backend_params=ALL)
