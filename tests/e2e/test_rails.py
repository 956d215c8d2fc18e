# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Transfers of the stock NIXL over rails: what the lab must be able to show, and to notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.lab import Outcome, Rails, TransferFailedError
from nixl_stripe.proof import NicTraffic, assert_striped
from nixl_stripe.versions import NEWEST

pytestmark = pytest.mark.rails

MIB = 1 << 20


def _write(rails: Rails, nixl: Path, rail_count: int | None = None, **more: Any) -> Outcome:
    params = {} if rail_count is None else {"engine_config": f"MAX_RMA_RAILS={rail_count}"}
    arguments = {"sizes": [8 * MIB, 4096, 777], "repeats": 2, **more}
    return rails.transfer(nixl=nixl, backend_params=params, **arguments)


@pytest.mark.parametrize(("rail_count", "expected"), [(1, 1), (None, 2), (3, 3), (4, 4)])
def test_stock_uses_as_many_rails_as_it_is_told(
    rails: Rails, stock: Path, rail_count: int | None, expected: int
) -> None:
    outcome = _write(rails, stock, rail_count).require()
    assert outcome.rails_used == expected
    assert outcome.lanes is not None
    assert outcome.lanes.complete
    assert set(outcome.lanes.share) == set(outcome.used)
    assert sum(outcome.bytes.values()) >= outcome.payload_bytes * outcome.repeats
    for share in outcome.lanes.share.values():
        assert share == pytest.approx(1 / expected, abs=0.02)
    for name in outcome.used:
        assert outcome.share[name] == pytest.approx(1 / expected, rel=0.1)


def test_rate_follows_the_number_of_rails(stock: Path) -> None:
    """Slow rails and the fastest repetition: what else the machine does must not count."""
    with Rails(4, 50) as bed:
        one, two, four = (
            max(_write(bed, stock, n, sizes=[8 * MIB], repeats=3).require().gbps_each)
            for n in (1, 2, 4)
        )
    assert one == pytest.approx(0.05, rel=0.1)
    assert two / one == pytest.approx(2, rel=0.1)
    assert four / one == pytest.approx(4, rel=0.15)


def test_read_is_verified_and_takes_one_rail_over_tcp(rails: Rails, stock: Path) -> None:
    outcome = _write(rails, stock, 4, op="READ", sizes=[2 * MIB]).require()
    assert outcome.rails_used == 1
    assert outcome.lanes is not None
    assert outcome.lanes.protocol == "software emulation"


@pytest.mark.parametrize(("op", "side"), [("WRITE", "target"), ("READ", "initiator")])
def test_a_changed_byte_is_noticed(rails: Rails, stock: Path, op: str, side: str) -> None:
    outcome = _write(rails, stock, op=op, sizes=[MIB, 1000], corrupt=True)
    assert not outcome.ok
    assert outcome.error is not None
    assert (outcome.error.side, outcome.error.type) == (side, "PayloadMismatchError")
    assert "buffer 1: 1 of 1000 bytes differ, the first at 500" in outcome.error.text
    with pytest.raises(TransferFailedError, match="PayloadMismatchError"):
        outcome.require()


def test_an_error_on_one_side_arrives_with_its_type_and_text(rails: Rails, stock: Path) -> None:
    outcome = rails.transfer(
        nixl=stock, sizes=[MIB], peer_environment={"UCX_NET_DEVICES": "absent0"}
    )
    assert outcome.error is not None
    assert (outcome.error.side, outcome.error.type) == ("target", "nixlBackendError")
    assert "NIXL_ERR_BACKEND" in outcome.error.text
    assert "create_backend" in outcome.error.traceback
    assert outcome.initiator.error is not None
    assert outcome.initiator.error.type == "PeerFailedError"


def test_both_sides_can_be_told_apart(rails: Rails, stock: Path) -> None:
    """The target offers two devices only: UCX cannot use more, whatever the initiator wants."""
    outcome = _write(rails, stock, 4, peer_environment={"UCX_NET_DEVICES": "rail1,rail2"}).require()
    assert outcome.rails_used == 2


def test_a_dead_rail_idles_and_the_rest_carries_on(rails: Rails, stock: Path) -> None:
    rails.set_state(2, up=False)
    try:
        outcome = _write(rails, stock, 4).require()
    finally:
        rails.set_state(2, up=True)
    assert outcome.bytes["rail2"] == 0
    assert outcome.used == ("rail0", "rail1", "rail3")
    assert _write(rails, stock, 4).require().rails_used == 4


def test_a_slow_rail_slows_the_whole_transfer(rails: Rails, stock: Path) -> None:
    """UCX gives even shares by what the interface says, and a veth says nothing of its limit."""
    mbit = rails.spec.mbit
    assert mbit is not None
    rails.set_limit("rail1", mbit / 4)
    try:
        slow = _write(rails, stock, 4, sizes=[8 * MIB]).require().gbps
    finally:
        rails.set_limit("rail1", mbit)
    assert slow < 0.5 * _write(rails, stock, 4, sizes=[8 * MIB]).require().gbps


def test_the_environment_of_the_caller_stays_outside(
    rails: Rails, stock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UCX_MAX_RMA_RAILS", "1")
    assert _write(rails, stock).require().rails_used == 2
    inside = _write(rails, stock, environment={"UCX_MAX_RMA_RAILS": "1"}).require()
    assert inside.rails_used == 1


@pytest.mark.parametrize("count", [290, 3000])
def test_many_small_buffers(rails: Rails, stock: Path, count: int) -> None:
    """Of 3000, what each side says of its own is more than a socket keeps."""
    outcome = _write(rails, stock, 4, sizes=[4096] * count).require()
    assert outcome.payload_bytes == count * 4096


def test_report_says_which_nixl_and_how_long(rails: Rails, stock: Path) -> None:
    outcome = _write(rails, stock).require()
    for side in (outcome.initiator, outcome.target):
        assert side.nixl_version == NEWEST
        assert side.nixl_file is not None
        assert Path(side.nixl_file).is_relative_to(stock)
        assert side.exit_status == 0
        assert "num_workers" in side.plugin_params
        assert side.create_seconds is not None
        assert side.create_seconds > 0
    data = outcome.to_dict()
    assert data["ok"]
    assert data["rails_used"] == 2


def test_bad_arguments(rails: Rails, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a folder nor a package name"):
        rails.transfer(nixl=tmp_path / "absent", sizes=[1])
    with pytest.raises(ValueError, match="op='PUT'"):
        rails.transfer(sizes=[1], op="PUT")
    with pytest.raises(ValueError, match="rail 'eth0': accepted are rail0, rail1, rail2, rail3"):
        rails.set_state("eth0", up=False)
    with pytest.raises(ValueError, match="count=0"):
        Rails(count=0)
    with pytest.raises(ValueError, match="mbit=0"):
        Rails(mbit=0)


def test_no_nixl_at_all_is_an_error_of_that_side(rails: Rails, tmp_path: Path) -> None:
    outcome = rails.transfer(nixl=[tmp_path, "nixl_absent"], sizes=[1])
    assert outcome.error is not None
    assert outcome.error.type == "NixlNotFoundError"


def test_eight_rails(stock: Path, rails: Rails) -> None:
    with Rails(count=8, mbit=100) as bed:
        outcome = _write(bed, stock, 8).require()
    assert outcome.rails_used == 8
    assert rails.devices == ("rail0", "rail1", "rail2", "rail3")


def test_the_shim_over_rails(
    rails: Rails, stock: Path, patched: Callable[[str, str], Path]
) -> None:
    """Parameters of the configuration reach UCX; a stock plugin is refused or told anew."""
    ours = patched("nixl-cu12", NEWEST)
    arguments: dict[str, Any] = {"sizes": [8 * MIB], "shim": True}
    wish = {"max_rma_rails": "4"}
    assert rails.transfer(nixl=ours, backend_params=wish, **arguments).require().rails_used == 4
    refused = rails.transfer(nixl=stock, backend_params=wish, **arguments)
    assert refused.error is not None
    assert refused.error.type == "UnpatchedPluginError"
    for choice, expected in (("warn", 2), ("stock", 4)):
        config = {"on_unpatched": choice}
        outcome = rails.transfer(
            nixl=stock, backend_params=wish, agent_config=config, **arguments
        ).require()
        assert outcome.rails_used == expected


def test_the_public_counters_see_the_rails_too(rails: Rails, stock: Path) -> None:
    """Rails are counted by `nixl_stripe.counters`, whose assertion holds and fails as it should."""
    outcome = _write(rails, stock, 4).require()
    rows = {name: NicTraffic(name, count, 0) for name, count in outcome.bytes.items()}
    assert_striped(rows, rails.devices)
    two = _write(rails, stock).require()
    rows = {name: NicTraffic(name, count, 0) for name, count in two.bytes.items()}
    with pytest.raises(AssertionError, match=r"rail3 .*idle"):
        assert_striped(rows, rails.devices)
