# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Many small buffers over RDMA verbs: each takes one NIC, and together they fill all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_beds import assert_shares, booted, percent
from nixl_stripe.lab.guests import GpuPlace, Guests

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

KIB = 1 << 10
ALL = {"stripe": "all"}
OFF = {"stripe": "all", "stripe_small": "off"}
EVEN = [25.0] * 4
_dice = random.Random(0)
SETS = {
    "4 KiB": [4 * KIB] * 100,
    "16 KiB": [16 * KIB] * 60,
    "4 to 64 KiB": [_dice.randrange(4 * KIB, 64 * KIB) for _ in range(60)],
}


@pytest.fixture(scope="module")
def bed() -> Iterator[Guests]:
    """Four NICs, two on each NUMA node, and a GPU on one of the nodes."""
    with booted(nics=4, numa_nodes=2, gpus="N") as bed:
        yield bed


@pytest.mark.parametrize("gpu", [None, "N"])
@pytest.mark.parametrize("name", SETS)
def test_small_buffers_fill_every_nic(
    bed: Guests, striped: Path, name: str, gpu: GpuPlace | None
) -> None:
    assert_shares(bed, EVEN, sizes=SETS[name], gpu=gpu, nixl=striped, backend_params=ALL)


def test_a_stock_peer_is_enough(bed: Guests, striped: Path, stock: Path) -> None:
    """The initiator alone chooses keys; the target has registered on all NICs anyway."""
    outcome = bed.transfer(
        sizes=SETS["4 KiB"], op="WRITE", nixl=striped, backend_params=ALL, peer_nixl=stock
    ).require()
    assert percent(outcome) == pytest.approx(EVEN, abs=2)


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        (OFF, [100, 0, 0, 0]),
        ({}, [100, 0, 0, 0]),
        ({"stripe_small": "spread"}, EVEN),
        ({"max_rma_rails": "4"}, [100, 0, 0, 0]),
        ({"stripe": "=rxe0,rxe2"}, [50, 0, 50, 0]),
    ],
)
def test_spreads_as_asked_for_and_not_otherwise(
    bed: Guests, striped: Path, params: dict[str, str], wanted: list[float]
) -> None:
    assert_shares(bed, wanted, sizes=SETS["4 KiB"], nixl=striped, backend_params=params)


def test_threads_of_nixls_own_spread_too(bed: Guests, striped: Path) -> None:
    """Each thread has a worker, endpoints and keys of its own, and so batches of its own."""
    params = {**ALL, "num_threads": "2"}
    assert_shares(bed, EVEN, sizes=SETS["4 KiB"], nixl=striped, backend_params=params)


def test_scatter_gather_requests_are_left_alone(bed: Guests, striped: Path) -> None:
    """Their keys are in a list that UCX reads; all bytes arrive, wherever UCX sends them."""
    outcome = bed.transfer(
        sizes=SETS["4 KiB"],
        op="WRITE",
        nixl=striped,
        backend_params=ALL,
        environment={"NIXL_UCX_SGL_ENABLE": "1"},
    ).require()
    assert outcome.initiator.repetitions


def test_lone_small_buffers_stay_on_the_first_nic(bed: Guests, striped: Path) -> None:
    outcome = bed.transfer(
        sizes=[4 * KIB], op="READ", repeats=10, nixl=striped, backend_params=ALL
    ).require()
    assert percent(outcome) == pytest.approx([100, 0, 0, 0], abs=2)


def test_a_lone_buffer_is_cut_as_stock_cuts_it(bed: Guests, striped: Path) -> None:
    """Over four NICs UCX would send three quarters of 16 KiB through the second one."""
    outcome = bed.transfer(
        sizes=[16 * KIB], op="WRITE", then="READ", repeats=8, nixl=striped, backend_params=ALL
    ).require()
    # Few bytes: what else a NIC sends weighs more than in other tests.
    assert percent(outcome) == pytest.approx([50, 50, 0, 0], abs=8)


@pytest.mark.parametrize("size", [4 * KIB, 16 * KIB])
def test_requests_of_one_buffer_in_flight_together_take_turns(
    bed: Guests, striped: Path, size: int
) -> None:
    """A request that finds the one before it complete is alone, and so on the first NIC: on these
    emulated processors some of 4 KiB are."""
    outcome = bed.transfer(
        sizes=[size] * 64, op="WRITE", then="READ", apart=True, nixl=striped, backend_params=ALL
    ).require()
    shares = percent(outcome)
    assert min(shares) > 15, shares
    assert max(shares) < 45, shares


def test_on_stock_they_do_not_bad_flow(bed: Guests, stock: Path) -> None:
    outcome = bed.transfer(sizes=[4 * KIB] * 64, op="WRITE", apart=True, nixl=stock).require()
    assert percent(outcome) == pytest.approx([100, 0, 0, 0], abs=2)


def test_a_changed_byte_is_noticed_bad_flow(bed: Guests, striped: Path) -> None:
    outcome = bed.transfer(
        sizes=SETS["4 KiB"], op="WRITE", nixl=striped, backend_params=ALL, corrupt=True
    )
    assert outcome.error is not None
    assert outcome.error.type == "PayloadMismatchError"


def test_agents_come_and_go(bed: Guests, striped: Path) -> None:
    """Another agent of the same process, without parameters, is not spread and does no harm."""
    outcome = bed.transfer(
        sizes=SETS["16 KiB"], op="READ", then="WRITE", beside={}, nixl=striped, backend_params=ALL
    ).require()
    assert percent(outcome) == pytest.approx(EVEN, abs=2)


def test_an_agent_whose_keys_are_of_tcp_does_no_harm(bed: Guests, striped: Path) -> None:
    """Its keys name no NIC, which says nothing about those of others."""
    outcome = bed.transfer(
        sizes=SETS["4 KiB"],
        op="WRITE",
        then="READ",
        beside={"engine_config": "TLS=tcp"},
        nixl=striped,
        backend_params=ALL,
    ).require()
    assert percent(outcome) == pytest.approx(EVEN, abs=2)
    assert "unknown form" not in outcome.initiator.log
