# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The patched backend over RDMA verbs: every parameter shows in the bytes that the NICs count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from guest_beds import booted
from nixl_stripe.lab import Outcome
from nixl_stripe.lab.guests import GpuPlace, Guests
from nixl_stripe.lab.job import Op

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

MIB = 1 << 20
EVEN = [25.0] * 4


@pytest.fixture(scope="module")
def bed() -> Iterator[Guests]:
    """Four NICs, two on each NUMA node, and a GPU at every place."""
    with booted(nics=4, numa_nodes=2, gpus="PHNS") as bed:
        yield bed


@pytest.fixture(scope="module")
def nixl(patched: Callable[[str, str], Path]) -> Path:
    """A folder with the patched nixl-cu12 1.5.1."""
    return patched("nixl-cu12", "1.5.1")


def percent(outcome: Outcome) -> list[float]:
    return [100 * part for part in outcome.share.values()]


@pytest.mark.parametrize(
    ("gpu", "peer_gpu", "op"),
    [
        ("N", "N", "READ"),
        ("N", "N", "WRITE"),
        ("P", "P", "WRITE"),
        ("H", "H", "READ"),
        ("S", "S", "READ"),
        ("N", "S", "WRITE"),
    ],
)
def test_stripe_all_spreads_gpu_memory_evenly(
    bed: Guests, nixl: Path, gpu: GpuPlace, peer_gpu: GpuPlace, op: Op
) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB],
        op=op,
        gpu=gpu,
        peer_gpu=peer_gpu,
        nixl=nixl,
        backend_params={"stripe": "all"},
    ).require()
    assert percent(outcome) == pytest.approx(EVEN, abs=2)


def test_unpatched_ignores_stripe_all_bad_flow(bed: Guests, stock: Path) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB], op="READ", gpu="N", nixl=stock, backend_params={"stripe": "all"}
    ).require()
    assert percent(outcome) == pytest.approx([50, 50, 0, 0], abs=2)


def test_stripe_all_on_one_side_only_stays_at_two(bed: Guests, nixl: Path) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB],
        op="READ",
        gpu="N",
        nixl=nixl,
        backend_params={"stripe": "all"},
        peer_params={},
    ).require()
    assert percent(outcome) == pytest.approx([50, 50, 0, 0], abs=2)


@pytest.mark.parametrize(("gpu", "near"), [("N", [50, 50, 0, 0]), ("S", [0, 0, 50, 50])])
def test_stripe_numa_uses_the_near_ones(
    bed: Guests, nixl: Path, gpu: GpuPlace, near: list[float]
) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB], op="WRITE", gpu=gpu, nixl=nixl, backend_params={"stripe": "numa"}
    ).require()
    assert percent(outcome) == pytest.approx(near, abs=2)


@pytest.mark.parametrize(
    ("rails", "op"), [("1", "READ"), ("2", "WRITE"), ("3", "READ"), ("4", "WRITE")]
)
def test_max_rma_rails_counts_the_nics(bed: Guests, nixl: Path, rails: str, op: Op) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB], op=op, nixl=nixl, backend_params={"max_rma_rails": rails}
    ).require()
    assert outcome.rails_used == int(rails)


def test_the_initiator_decides_the_number_of_rails(bed: Guests, nixl: Path) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB],
        op="READ",
        nixl=nixl,
        backend_params={"max_rma_rails": "4"},
        peer_params={"max_rma_rails": "2"},
    ).require()
    assert percent(outcome) == pytest.approx(EVEN, abs=2)


def test_device_list_names_two(bed: Guests, nixl: Path) -> None:
    outcome = bed.transfer(
        sizes=[4 * MIB],
        op="WRITE",
        nixl=nixl,
        backend_params={"device_list": "rxe1,rxe3", "max_rma_rails": "auto"},
    ).require()
    assert outcome.used == ("rail1", "rail3")
    assert percent(outcome) == pytest.approx([0, 50, 0, 50], abs=2)


def test_device_that_does_not_exist_bad_flow(bed: Guests, nixl: Path) -> None:
    outcome = bed.transfer(
        sizes=[MIB], nixl=nixl, backend_params={"device_list": "rxe1,rxe9"}, limit_s=20
    )
    assert not outcome.ok
    assert outcome.error is not None
    assert outcome.error.type == "ValueError"
    assert "rxe9" in outcome.error.text
