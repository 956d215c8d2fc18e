# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What the table of traps says of RDMA NICs is what they count, and the plugin says it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_beds import booted
from nixl_stripe.lab import Outcome
from nixl_stripe.lab.guests import Guests
from nixl_stripe.lab.job import Op

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

SIZE = 4 << 20
EVEN = [25, 25, 25, 25]


@pytest.fixture(scope="module")
def bed() -> Iterator[Guests]:
    """Four NICs, two on each NUMA node, and a GPU with a PCI root of its own."""
    with booted(nics=4, numa_nodes=2, gpus="N") as bed:
        yield bed


def move(bed: Guests, striped: Path, op: Op, key: str, value: str, *, gpu: bool) -> Outcome:
    return bed.transfer(
        sizes=[SIZE],
        op=op,
        gpu="N" if gpu else None,
        nixl=striped,
        backend_params={"stripe": "all"},
        environment={f"UCX_{key}": value},
        limit_s=15,
    )


def warned(outcome: Outcome, key: str) -> list[str]:
    lines = outcome.initiator.log.splitlines()
    return [line for line in lines if f"nixl-stripe] UCX_{key}=" in line]


@pytest.mark.parametrize(
    ("key", "value", "op", "gpu", "share"),
    [
        ("SINGLE_NET_DEVICE", "y", "READ", False, [100, 0, 0, 0]),
        ("MAX_HCA_PER_GPU", "auto", "READ", True, [50, 50, 0, 0]),
        ("DISTANCE_BW", "auto", "READ", True, [50, 50, 0, 0]),
        ("MIN_RMA_CHUNK_SIZE", "4m", "WRITE", True, [50, 50, 0, 0]),
    ],
)
def test_a_trap_narrows_to_these_nics_and_is_named(
    bed: Guests, striped: Path, key: str, value: str, op: Op, gpu: bool, share: list[int]
) -> None:
    outcome = move(bed, striped, op, key, value, gpu=gpu).require()
    assert [100 * part for part in outcome.share.values()] == pytest.approx(share, abs=2)
    assert len(warned(outcome, key)) == 1


@pytest.mark.parametrize(
    ("key", "value", "gpu"),
    [
        ("IB_SUBNET_PREFIX", "fe80", False),
        ("MAX_COMPONENT_MDS", "2", False),
        ("TLS", "ud", False),
        ("TLS", "rc", True),
    ],
)
def test_a_trap_that_keeps_the_backend_from_being_made_is_named(
    bed: Guests, striped: Path, key: str, value: str, gpu: bool
) -> None:
    outcome = move(bed, striped, "WRITE", key, value, gpu=gpu)
    assert outcome.error is not None
    assert len(warned(outcome, key)) == 1


@pytest.mark.parametrize(
    ("key", "value", "op", "gpu"),
    [
        ("RNDV_THRESH", "8k", "READ", True),
        ("MULTI_LANE_MAX_RATIO", "1", "WRITE", False),
        ("TLS", "rc,cuda_copy", "WRITE", True),
    ],
)
def test_what_is_harmless_over_rdma_is_not_named(
    bed: Guests, striped: Path, key: str, value: str, op: Op, gpu: bool
) -> None:
    outcome = move(bed, striped, op, key, value, gpu=gpu).require()
    assert [100 * part for part in outcome.share.values()] == pytest.approx(EVEN, abs=2)
    assert warned(outcome, key) == []
