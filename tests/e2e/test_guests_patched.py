# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The patched backend over RDMA verbs: every parameter shows in the bytes that the NICs count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_beds import assert_shares, booted, both_ways, percent
from nixl_stripe.lab.guests import GpuPlace, Guests
from nixl_stripe.lab.job import Role

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

MIB = 1 << 20
EVEN = [25.0] * 4
NEAR = [50.0, 50.0, 0.0, 0.0]
ALL = {"stripe": "all"}


@pytest.fixture(scope="module")
def bed() -> Iterator[Guests]:
    """Four NICs, two on each NUMA node, and a GPU at every place."""
    with booted(nics=4, numa_nodes=2, gpus="PHNS") as bed:
        yield bed


@pytest.mark.parametrize(
    ("gpu", "peer_gpu"), [("P", "P"), ("H", "H"), ("N", "N"), ("S", "S"), ("N", "S")]
)
def test_stripe_all_spreads_gpu_memory_evenly(
    bed: Guests, striped: Path, gpu: GpuPlace, peer_gpu: GpuPlace
) -> None:
    assert_shares(bed, EVEN, gpu=gpu, peer_gpu=peer_gpu, nixl=striped, backend_params=ALL)


@pytest.mark.parametrize(
    ("memory", "context_current"), [("dram", False), ("dram", True), ("vram", True)]
)
def test_stripe_all_whether_a_context_is_current_or_not(
    bed: Guests, striped: Path, memory: str, context_current: bool
) -> None:
    """For GPU memory the case above has none but in the thread that allocated it."""
    assert_shares(
        bed,
        EVEN,
        gpu="N",
        memory=memory,
        context_current=context_current,
        nixl=striped,
        backend_params=ALL,
    )


def test_stock_host_memory_with_a_context_bad_flow(bed: Guests, stock: Path) -> None:
    rails = {"UCX_MAX_RMA_RAILS": "4"}
    how = {"gpu": "N", "memory": "dram", "context_current": True}
    assert_shares(bed, NEAR, nixl=stock, environment=rails, **how)


def test_unpatched_ignores_stripe_all_bad_flow(bed: Guests, stock: Path) -> None:
    assert_shares(bed, NEAR, gpu="N", nixl=stock, backend_params=ALL)


@pytest.mark.parametrize(("mine", "theirs"), [(ALL, {}), ({}, ALL)])
def test_stripe_all_on_one_side_only_stays_at_two(
    bed: Guests, striped: Path, mine: dict[str, str], theirs: dict[str, str]
) -> None:
    assert_shares(bed, NEAR, gpu="N", nixl=striped, backend_params=mine, peer_params=theirs)


def test_agents_of_one_process_keep_what_each_asked_for(bed: Guests, striped: Path) -> None:
    """DISTANCE_BW is one for the whole process: in force for one, it must not change the other."""
    assert_shares(bed, EVEN, gpu="N", nixl=striped, backend_params=ALL, beside={})
    assert_shares(bed, NEAR, gpu="N", nixl=striped, backend_params={}, beside=ALL)


def test_peer_with_fewer_nics(bed: Guests, striped: Path) -> None:
    assert_shares(
        bed, NEAR, gpu="N", nixl=striped, backend_params=ALL, peer_params={"stripe": "numa"}
    )


@pytest.mark.parametrize(
    ("stripe", "gpu", "near"),
    [
        ("numa", "N", NEAR),
        ("nearest", "S", [0.0, 0.0, 50.0, 50.0]),
    ],
)
def test_policies_use_the_near_ones(
    bed: Guests, striped: Path, stripe: str, gpu: GpuPlace, near: list[float]
) -> None:
    assert_shares(bed, near, gpu=gpu, nixl=striped, backend_params={"stripe": stripe})


def test_nic_that_is_down_is_left_out(bed: Guests, striped: Path) -> None:
    ends: tuple[Role, Role] = ("initiator", "target")
    bed.set_link(3, False, ends)
    try:
        both = both_ways(bed, gpu="N", nixl=striped, backend_params=ALL)
    finally:
        bed.set_link(3, True, ends)
    for outcome in both.values():
        assert percent(outcome) == pytest.approx([100 / 3, 100 / 3, 100 / 3, 0], abs=2)


def test_nic_that_is_down_at_one_end_only(bed: Guests, striped: Path) -> None:
    bed.set_link(2, False, ["target"])
    try:
        both = both_ways(bed, gpu="N", nixl=striped, backend_params=ALL)
    finally:
        bed.set_link(2, True, ["target"])
    for outcome in both.values():
        assert percent(outcome) == pytest.approx([100 / 3, 100 / 3, 0, 100 / 3], abs=2)


def test_max_rma_rails_counts_the_nics(bed: Guests, striped: Path) -> None:
    both = both_ways(bed, nixl=striped, backend_params={"max_rma_rails": "3"})
    assert {outcome.rails_used for outcome in both.values()} == {3}


def test_the_initiator_decides_the_number_of_rails(bed: Guests, striped: Path) -> None:
    mine, theirs = {"max_rma_rails": "4"}, {"max_rma_rails": "2"}
    assert_shares(bed, EVEN, nixl=striped, backend_params=mine, peer_params=theirs)


def test_device_list_names_two(bed: Guests, striped: Path) -> None:
    params = {"device_list": "rxe1,rxe3", "max_rma_rails": "auto"}
    assert_shares(bed, [0.0, 50.0, 0.0, 50.0], nixl=striped, backend_params=params)


def test_device_that_does_not_exist_bad_flow(bed: Guests, striped: Path) -> None:
    outcome = bed.transfer(
        sizes=[MIB], nixl=striped, backend_params={"device_list": "rxe1,rxe9"}, limit_s=20
    )
    assert not outcome.ok
    assert outcome.error is not None
    assert outcome.error.type == "ValueError"
    assert "rxe9" in outcome.error.text


def test_the_busiest_nic_carries_half_of_stock(bed: Guests, stock: Path, striped: Path) -> None:
    """Where NICs are the limit the busiest one is the time; `bench rails --bed rdma` shows it."""
    busiest = [
        max(max(percent(outcome)) for outcome in both_ways(bed, gpu="N", **how).values())
        for how in ({"nixl": stock}, {"nixl": striped, "backend_params": ALL})
    ]
    assert busiest[0] / busiest[1] == pytest.approx(2, rel=0.04)
