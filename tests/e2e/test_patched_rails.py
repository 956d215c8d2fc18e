# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The patched backend over real rails: as many as the parameter says, whatever else is set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.lab import Outcome, Rails
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS

pytestmark = pytest.mark.rails

MIB = 1 << 20
WheelOf = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def newest(patched: WheelOf) -> Path:
    return patched(*NIXL_VERSIONS[0])


def write(rails: Rails, nixl: Path, params: dict[str, str], **more: Any) -> Outcome:
    arguments = {"sizes": [8 * MIB, 4096, 777], "repeats": 2, **more}
    return rails.transfer(nixl=nixl, backend_params=params, **arguments)


def assert_even(outcome: Outcome, rail_count: int) -> None:
    """UCX's own lanes and the bytes that the rails counted both say `rail_count` even shares."""
    assert outcome.rails_used == rail_count
    assert outcome.lanes is not None
    assert set(outcome.lanes.share) == set(outcome.used)
    for name in outcome.used:
        assert outcome.lanes.share[name] == pytest.approx(1 / rail_count, abs=0.02)
        assert outcome.share[name] == pytest.approx(1 / rail_count, rel=0.1)


@pytest.mark.parametrize("rail_count", [1, 2, 3, 4])
def test_as_many_rails_as_the_parameter_says(rails: Rails, newest: Path, rail_count: int) -> None:
    outcome = write(rails, newest, {"max_rma_rails": str(rail_count)}).require()
    assert_even(outcome, rail_count)


def test_without_parameters_it_behaves_as_stock(rails: Rails, newest: Path) -> None:
    assert_even(write(rails, newest, {}).require(), 2)


@pytest.mark.parametrize(("kib", "busiest"), [(4, 1.0), (16, 0.5), (28, 0.25)])
def test_stripe_cuts_small_buffers_no_worse_than_stock(
    rails: Rails, newest: Path, kib: int, busiest: float
) -> None:
    sizes = [kib << 10] * 290
    outcome = write(rails, newest, {"stripe": "all"}, sizes=sizes).require()
    assert max(outcome.share.values()) == pytest.approx(busiest, abs=0.02)


def test_small_buffers_left_to_ucx_are_worse_than_stock_bad_flow(
    rails: Rails, newest: Path
) -> None:
    params = {"stripe": "all", "stripe_small": "off"}
    outcome = write(rails, newest, params, sizes=[16 << 10] * 290).require()
    assert max(outcome.share.values()) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_every_nixl_uses_four_rails(
    rails: Rails, patched: WheelOf, fake_torch: Path, name: str, version: str
) -> None:
    nixl: list[str | Path] = [patched(name, version), fake_torch, name.replace("-", "_")]
    outcome = rails.transfer(
        nixl=nixl, backend_params={"max_rma_rails": "4"}, sizes=[8 * MIB, 777]
    ).require()
    assert_even(outcome, 4)


def test_the_unpatched_twin_stays_at_two(rails: Rails, unpacked: WheelOf) -> None:
    stock = unpacked(*NIXL_VERSIONS[0])
    assert_even(write(rails, stock, {"max_rma_rails": "4"}).require(), 2)


def test_parameter_beats_the_environment(rails: Rails, newest: Path) -> None:
    environment = {"UCX_MAX_RMA_RAILS": "1"}
    outcome = write(rails, newest, {"max_rma_rails": "4"}, environment=environment)
    assert_even(outcome.require(), 4)


def test_auto_respects_the_environment(rails: Rails, newest: Path) -> None:
    params = {"max_rma_rails": "auto", "device_list": ",".join(rails.devices)}
    assert_even(write(rails, newest, params).require(), 4)
    outcome = write(rails, newest, params, environment={"UCX_MAX_RMA_RAILS": "1"})
    assert_even(outcome.require(), 1)


def test_device_list_names_network_interfaces(rails: Rails, newest: Path) -> None:
    chosen = rails.devices[1::2]
    params = {"device_list": " ".join(chosen), "max_rma_rails": "4"}
    outcome = write(rails, newest, params).require()
    assert_even(outcome, 2)
    assert outcome.used == chosen


def test_device_list_beats_the_environment(rails: Rails, newest: Path) -> None:
    params = {"device_list": ",".join(rails.devices), "max_rma_rails": "auto"}
    outcome = write(rails, newest, params, environment={"UCX_NET_DEVICES": rails.devices[0]})
    assert_even(outcome.require(), 4)


def test_environment_serves_clients_that_pass_no_parameters(rails: Rails, newest: Path) -> None:
    environment = {"NIXL_UCX_MAX_RMA_RAILS": "4", "UCX_MAX_RMA_RAILS": "1"}
    assert_even(write(rails, newest, {}, environment=environment).require(), 4)


@pytest.mark.parametrize("policy", ["all", "4"])
def test_stripe_takes_every_rail_where_there_is_no_rdma(
    rails: Rails, newest: Path, policy: str
) -> None:
    assert_even(write(rails, newest, {"stripe": policy}).require(), 4)


def test_stripe_from_the_environment_beats_a_pinned_nic(rails: Rails, newest: Path) -> None:
    environment = {"NIXL_UCX_STRIPE": "all", "UCX_NET_DEVICES": rails.devices[0]}
    assert_even(write(rails, newest, {}, environment=environment).require(), 4)


def test_the_initiator_decides(rails: Rails, newest: Path) -> None:
    mine = {"max_rma_rails": "3"}
    outcome = write(rails, newest, mine, peer_params={"max_rma_rails": "1"}).require()
    assert_even(outcome, 3)


def test_a_corrupt_payload_is_noticed(rails: Rails, newest: Path) -> None:
    outcome = write(rails, newest, {"max_rma_rails": "4"}, corrupt=True)
    assert outcome.error is not None
    assert outcome.error.type == "PayloadMismatchError"


def test_a_bad_value_arrives_as_value_error(rails: Rails, newest: Path) -> None:
    outcome = write(rails, newest, {"max_rma_rails": "65"}, peer_params={})
    assert outcome.error is not None
    assert outcome.error.type == "ValueError"
    assert "max_rma_rails='65'" in outcome.error.text


def test_a_rail_that_is_down_is_an_error_when_named(rails: Rails, newest: Path) -> None:
    rails.set_state(3, up=False)
    try:
        params = {"device_list": ",".join(rails.devices)}
        outcome = write(rails, newest, params, peer_params={})
    finally:
        rails.set_state(3, up=True)
    assert outcome.error is not None
    assert f"UCX did not open {rails.devices[3]}" in outcome.error.text
