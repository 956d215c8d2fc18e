# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What two agents tell each other about their plans, and what they make of it."""

from __future__ import annotations

import json
import logging
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from nixl_stripe import StripePlan, plan
from nixl_stripe.agents.introduction import Introduction, attach, detach, differences
from nixl_stripe.agents.meeting import Meetings
from nixl_stripe.planning.parts import PlannedNic
from nixl_stripe.planning.peer import no_shared_subnet
from sysfs_machines import MACHINES
from sysfs_trees import write

METADATA = b"nixlSerDes|Agent\x01\x00\x00\x00\x00\x00\x00\x00b"


def introduction(name: str, planned: StripePlan, *, patched: bool = True) -> Introduction:
    return Introduction(name, f"host-{name}", patched, planned)


@pytest.fixture
def gb200(tmp_path: Path) -> StripePlan:
    return plan("all", 0, str(write(MACHINES["gb200"](), tmp_path / "gb200").sys))


@pytest.fixture
def gb300(tmp_path: Path) -> StripePlan:
    return plan("all", 0, str(write(MACHINES["gb300"](), tmp_path / "gb300").sys))


@pytest.fixture
def stock(tmp_path: Path) -> StripePlan:
    return plan("off", machine=str(write(MACHINES["gb200"](), tmp_path / "stock").sys))


def with_subnets(planned: StripePlan, *subnets: str) -> StripePlan:
    nics = tuple(
        PlannedNic(nic.device, nic.rate_gbps, "Ethernet", (subnet,))
        for nic, subnet in zip(planned.nics, subnets, strict=True)
    )
    return replace(planned, nics=nics)


def test_what_is_attached_is_detached(gb200: StripePlan) -> None:
    mine = introduction("a", gb200)
    whole = attach(METADATA, mine)
    assert whole.startswith(METADATA)
    assert len(whole) - len(METADATA) < 1024
    plain, theirs = detach(whole)
    assert plain == METADATA
    assert theirs is not None
    assert (theirs.agent, theirs.host, theirs.patched) == ("a", "host-a", True)
    assert theirs.plan.nics == gb200.nics
    assert theirs.plan.ucx_settings == gb200.ucx_settings


@pytest.mark.parametrize("metadata", [b"", b"x", METADATA, METADATA + b"nixl-stripe-plan"])
def test_metadata_without_one_stays_as_it_is(metadata: bytes) -> None:
    assert detach(metadata) == (metadata, None)


def test_a_damaged_one_is_left_to_nixl(gb200: StripePlan) -> None:
    whole = attach(METADATA, introduction("a", gb200))
    for place in range(len(METADATA), len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        plain, theirs = detach(bytes(damaged))
        assert theirs is None
        assert plain == bytes(damaged)


@pytest.mark.parametrize("what", [[], {}, {"version": 2}, {"version": 1, "plan": "none"}])
def test_one_that_we_cannot_read_is_taken_off_and_ignored(what: object) -> None:
    body = zlib.compress(json.dumps(what).encode())
    tail = struct.pack("<II16s", zlib.crc32(body), len(body), b"nixl-stripe-plan")
    assert detach(METADATA + body + tail) == (METADATA, None)


def test_alike_plans_fit(gb200: StripePlan, stock: StripePlan) -> None:
    assert differences(introduction("a", gb200), introduction("b", gb200)) == []
    assert differences(introduction("a", stock), introduction("b", stock)) == []


def test_stripe_on_one_side_only(gb200: StripePlan, stock: StripePlan) -> None:
    (line,) = differences(introduction("a", stock, patched=False), introduction("b", gb200))
    assert line.startswith("agent 'b' on host-b stripes over 4 NICs, agent 'a' on host-a is on")
    assert "not patched" in line
    (line,) = differences(introduction("a", gb200), introduction("b", stock))
    assert "not patched" not in line


def test_numbers_of_nics(gb200: StripePlan, gb300: StripePlan) -> None:
    found = differences(introduction("a", gb200), introduction("b", gb300))
    assert any("4 NIC(s) here" in line and "8 there" in line for line in found)


def test_rails_and_settings(gb200: StripePlan) -> None:
    fewer = replace(gb200, rails=2)
    (line,) = differences(introduction("a", gb200), introduction("b", fewer))
    assert line.startswith("rails differ: 4 here, 2 there")
    near = tuple(
        replace(each, value="auto") if each.key == "DISTANCE_BW" else each
        for each in gb200.settings
    )
    (line,) = differences(
        introduction("a", gb200), introduction("b", replace(gb200, settings=near))
    )
    assert line.startswith("DISTANCE_BW is 1000GBs here and auto there")


def test_rates(gb200: StripePlan) -> None:
    slow = replace(gb200, nics=tuple(replace(nic, rate_gbps=100.0) for nic in gb200.nics))
    (line,) = differences(introduction("a", gb200), introduction("b", slow))
    assert line.startswith("port rates differ: 400 Gbit/s here, 100 there")


def test_a_subnet_of_one_side(gb200: StripePlan) -> None:
    mine = with_subnets(gb200, "10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24")
    theirs = with_subnets(gb200, "10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.9.3.0/24")
    assert differences(introduction("a", mine), introduction("b", mine)) == []
    found = differences(introduction("a", mine), introduction("b", theirs))
    assert [line.partition(" is in ")[0] for line in found] == [
        "mlx5_3:1 on agent 'a' on host-a",
        "mlx5_3:1 on agent 'b' on host-b",
    ]


def test_a_routed_fabric_has_other_subnets_everywhere(gb200: StripePlan) -> None:
    mine = with_subnets(gb200, *(f"10.0.{n}.0/31" for n in range(4)))
    theirs = with_subnets(gb200, *(f"10.1.{n}.0/31" for n in range(4)))
    assert differences(introduction("a", mine), introduction("b", theirs)) == []


def test_networks_that_have_nothing_in_common_are_named(gb200: StripePlan) -> None:
    mine = with_subnets(gb200, *(f"10.0.{n}.0/24" for n in range(4)))
    theirs = with_subnets(gb200, *(f"10.1.{n}.0/24" for n in range(4)))
    said = no_shared_subnet(mine, theirs)
    assert said.startswith("no NIC here (mlx5_0:1, mlx5_1:1, mlx5_2:1, mlx5_3:1 in 10.0.0.0/24, ")
    assert said.endswith("10.1.3.0/24)")


def test_one_common_network_or_an_unknown_one_is_no_reason_bad_flow(gb200: StripePlan) -> None:
    mine = with_subnets(gb200, *(f"10.0.{n}.0/24" for n in range(4)))
    one = with_subnets(gb200, "10.0.0.0/24", *(f"10.1.{n}.0/24" for n in range(3)))
    assert no_shared_subnet(mine, one) == ""
    unknown = replace(one, nics=(replace(one.nics[0], subnets=()), *one.nics[1:]))
    assert no_shared_subnet(mine, unknown) == ""
    assert no_shared_subnet(mine, replace(one, nics=())) == ""


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_meeting_warns_once(caplog: pytest.LogCaptureFixture, gb200: StripePlan) -> None:
    agent = Meetings("a")
    agent.backend_created({}, patched=False)
    theirs = introduction("b", gb200)
    plain, seen = agent.meet(attach(METADATA, theirs))
    assert plain == METADATA
    for _ in range(3):
        agent.compare(seen)
    (line,) = warnings_of(caplog)
    assert line.startswith(f"agent 'a' on {os.uname().nodename} (here) and agent 'b' on host-b ")


def test_a_meeting_of_likes_is_silent(caplog: pytest.LogCaptureFixture, stock: StripePlan) -> None:
    agent = Meetings("a")
    agent.backend_created({}, patched=True)
    agent.compare(introduction("b", stock))
    agent.compare(None)
    assert warnings_of(caplog) == []


def test_without_a_ucx_backend_there_is_nothing_to_say(
    caplog: pytest.LogCaptureFixture, gb200: StripePlan
) -> None:
    agent = Meetings("a")
    assert agent.introduce(METADATA) == METADATA
    agent.compare(introduction("b", gb200))
    assert warnings_of(caplog) == []


def test_a_plan_that_cannot_be_made_keeps_nobody_from_meeting(
    caplog: pytest.LogCaptureFixture, gb200: StripePlan
) -> None:
    caplog.set_level(logging.DEBUG, "nixl_stripe")
    agent = Meetings("a")
    agent.backend_created({"stripe": "no such policy!"}, patched=True)
    assert agent.introduce(METADATA) == METADATA
    agent.compare(introduction("b", gb200))
    assert warnings_of(caplog) == []
    assert "no plan to show to peers" in caplog.text


def test_a_strange_plan_of_a_peer_keeps_nobody_from_meeting(
    caplog: pytest.LogCaptureFixture, gb200: StripePlan
) -> None:
    caplog.set_level(logging.DEBUG, "nixl_stripe")
    agent = Meetings("a")
    agent.backend_created({}, patched=False)
    strange = introduction("b", replace(gb200, devices=None))  # type: ignore[arg-type]
    agent.compare(strange)
    assert warnings_of(caplog) == []
    assert "cannot be compared" in caplog.text
