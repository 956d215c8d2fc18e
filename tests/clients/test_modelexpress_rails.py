# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""ModelExpress 0.7 moves a model's weights over four rails: its own manager, its own READ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from clients.modelexpress_runs import Run, run
from nixl_stripe.lab import Rails

pytestmark = pytest.mark.timeout(300)

#: ModelExpress's own pinning, both devices on the first rail: it sets UCX_NET_DEVICES=rail0.
PINNED = {"MX_RDMA_NIC_PIN": "rail0,rail0"}
STRIPE = {"NIXL_UCX_STRIPE": "all"}


def assert_arrived(done: Run) -> None:
    assert done.error is None, done.log
    assert done.wrong == []
    for row in done.rows:
        assert row["bytes"] == done.receiver["payload"] > 32 << 20
        assert row["tensors"] > 40


def assert_even(done: Run, rails: Rails) -> None:
    assert done.used == list(rails.devices)
    for part in done.share.values():
        assert part == pytest.approx(0.25, rel=0.1)


@pytest.fixture(scope="module")
def pinned_stock(rails: Rails, stock: Path, gpu: Mapping[str, str]) -> Run:
    """Stock NIXL, with the setting that the patched one honours."""
    return run(rails, stock, gpu, variables={**STRIPE, **PINNED})


def test_unmodified_with_one_variable_against_its_own_pin(
    rails: Rails, striped: Path, gpu: Mapping[str, str], pinned_stock: Run
) -> None:
    done = run(rails, striped, gpu, variables={**STRIPE, **PINNED})
    assert_arrived(done)
    assert_even(done, rails)
    for side in (done.receiver, done.source):
        assert side["net_devices"] == "rail0"  # ModelExpress did pin
        assert side["agent"].startswith("nixl_cu12.")
    assert done.busiest <= pinned_stock.busiest / 3.6


def test_stock_stays_on_the_pinned_nic_bad_flow(pinned_stock: Run) -> None:
    assert_arrived(pinned_stock)
    assert pinned_stock.used == ["rail0"]


def test_unmodified_without_a_pin(
    rails: Rails, stock: Path, striped: Path, gpu: Mapping[str, str]
) -> None:
    before = run(rails, stock, gpu)
    after = run(rails, striped, gpu, variables=STRIPE)
    assert_arrived(before)
    assert_arrived(after)
    assert_even(after, rails)
    assert after.busiest <= before.busiest / 1.8


def test_one_changed_bit_is_noticed_bad_flow(
    rails: Rails, striped: Path, gpu: Mapping[str, str]
) -> None:
    done = run(rails, striped, gpu, variables=STRIPE, corrupt=True, repeats=1)
    assert done.error is None, done.log
    assert len(done.wrong) == 1


def test_enabled_stripe_uses_every_rail_by_parameter(
    rails: Rails, striped: Path, gpu: Mapping[str, str], pinned_stock: Run
) -> None:
    done = run(rails, striped, gpu, enable=True, variables={"MX_RDMA_NIC_PIN": "stripe"})
    assert_arrived(done)
    assert_even(done, rails)
    for side in (done.receiver, done.source):
        assert side["net_devices"] is None
        assert side["applied"]["UCX"]["stripe"] == "all"
    assert done.busiest <= pinned_stock.busiest / 3.6


def test_stripe_means_auto_to_an_unmodified_one_bad_flow(
    rails: Rails, striped: Path, gpu: Mapping[str, str]
) -> None:
    done = run(rails, striped, gpu, repeats=1, variables={"MX_RDMA_NIC_PIN": "stripe"})
    assert_arrived(done)
    assert len(done.used) == 1


@pytest.mark.parametrize("disable", [False, True])
def test_a_list_keeps_its_meaning(
    rails: Rails, striped: Path, gpu: Mapping[str, str], disable: bool
) -> None:
    pin = {"MX_RDMA_NIC_PIN": "rail2,rail0"}
    before = run(rails, striped, gpu, repeats=1, variables=pin)
    after = run(rails, striped, gpu, repeats=1, enable=True, disable=disable, variables=pin)
    for done in (before, after):
        assert_arrived(done)
        assert done.used == ["rail2"]
    assert before.receiver["net_devices"] == "rail2"
    if disable:
        assert after.receiver == {**before.receiver, "rows": after.rows}
    else:
        assert after.receiver["net_devices"] is None
        assert after.receiver["applied"]["UCX"]["device_list"] == "rail2"


def test_a_list_on_stock_goes_the_old_way(
    rails: Rails, stock: Path, gpu: Mapping[str, str]
) -> None:
    done = run(
        rails, stock, gpu, repeats=1, enable=True, variables={"MX_RDMA_NIC_PIN": "rail2,rail0"}
    )
    assert_arrived(done)
    assert done.used == ["rail2"]
    assert done.receiver["net_devices"] == "rail2"


@pytest.mark.parametrize("value", ["off", "", "auto"])
def test_off_and_auto_without_rdma_change_nothing(
    rails: Rails, striped: Path, gpu: Mapping[str, str], value: str
) -> None:
    done = run(rails, striped, gpu, repeats=1, enable=True, variables={"MX_RDMA_NIC_PIN": value})
    assert_arrived(done)
    assert done.receiver["net_devices"] is None
    assert done.receiver["agent"].startswith("nixl_cu12.")
    assert done.receiver["applied"] == {}


def test_stripe_on_stock_is_refused_with_the_way_out(
    rails: Rails, stock: Path, gpu: Mapping[str, str]
) -> None:
    done = run(rails, stock, gpu, repeats=1, enable=True, variables={"MX_RDMA_NIC_PIN": "stripe"})
    assert done.error is not None
    assert done.error[0] == "UnpatchedPluginError"
    assert "nixl-stripe patch" in done.error[1]
