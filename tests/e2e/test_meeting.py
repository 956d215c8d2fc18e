# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Two real agents meet over rails: what costs bandwidth is said once, transfers are untouched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from nixl_stripe.lab import Job, Nixl, Outcome, Rails
from nixl_stripe.lab.side import ROLES
from nixl_wheels import NIXL_IDS, NIXL_VERSIONS

pytestmark = pytest.mark.rails

SIZES = (4 << 20, 777)


def meet(
    rails: Rails, nixl: Path, mine: Mapping[str, str], theirs: Mapping[str, str] | None = None
) -> Outcome:
    """Return a WRITE between two agents of ours; the target has `theirs`, or the same."""
    return rails.transfer(
        nixl=nixl, backend_params=mine, peer_params=theirs, sizes=SIZES, repeats=2, shim=True
    ).require()


def warned(log: str) -> list[str]:
    return [line for line in log.splitlines() if "lose bandwidth" in line]


def both_sides(outcome: Outcome) -> list[str]:
    """Return the one warning of either side; each names both agents."""
    lines = [*warned(outcome.initiator.log), *warned(outcome.target.log)]
    assert len(lines) == 2, lines
    for line in lines:
        assert "agent 'initiator' on " in line
        assert "agent 'target' on " in line
    return lines


def test_alike_agents_say_nothing(rails: Rails, striped: Path) -> None:
    outcome = meet(rails, striped, {"stripe": "all"})
    assert outcome.rails_used == 4
    assert warned(outcome.initiator.log + outcome.target.log) == []


def test_stripe_on_one_side_only(rails: Rails, striped: Path) -> None:
    outcome = meet(rails, striped, {"stripe": "all"}, {})
    for line in both_sides(outcome):
        assert "agent 'target' on " in line.partition("stripes over 4 NICs")[2]
        assert "is on stock settings" in line
    assert outcome.rails_used == 4  # the initiator decides over TCP


def test_rails_that_differ(rails: Rails, striped: Path) -> None:
    outcome = meet(rails, striped, {"stripe": "all"}, {"stripe": "all", "max_rma_rails": "2"})
    first, second = both_sides(outcome)
    assert "rails differ: 4 here, 2 there" in first
    assert "rails differ: 2 here, 4 there" in second


def test_subnets_that_differ(rails: Rails, striped: Path) -> None:
    def of(*numbers: int) -> dict[str, str]:
        return {"stripe": "all", "device_list": ",".join(rails.devices[n] for n in numbers)}

    assert warned(meet(rails, striped, of(0, 1, 2)).initiator.log) == []
    for line in both_sides(meet(rails, striped, of(0, 1, 2), of(0, 1, 3))):
        assert f"{rails.devices[2]} on agent 'initiator'" in line
        assert f"{rails.devices[3]} on agent 'target'" in line


def test_shares_that_cannot_reach_each_other_are_an_error_that_says_so_bad_flow(
    rails: Rails, striped: Path
) -> None:
    first, second = (
        {"stripe": "all", "device_list": ",".join(part)}
        for part in (rails.devices[:2], rails.devices[2:])
    )
    outcome = rails.transfer(
        nixl=striped, backend_params=first, peer_params=second, sizes=SIZES, shim=True
    )
    said = str(outcome.initiator.error)
    assert "nixlBackendError: NIXL_ERR_BACKEND: " in said
    assert "cannot reach each other: no NIC here" in said
    for device in rails.devices:
        assert device in said


def test_numbers_of_nics_that_differ(rails: Rails, striped: Path) -> None:
    two = {"stripe": "all", "device_list": ",".join(rails.devices[:2])}
    first, _ = both_sides(meet(rails, striped, {"stripe": "all"}, two))
    assert "4 NIC(s) here" in first
    assert "2 there" in first


def one_of_ours(
    rails: Rails, nixl: list[str | Path], peer_nixl: list[str | Path], ours: str
) -> Outcome:
    """Return a WRITE in which only the side `ours` is an agent of nixl_stripe."""
    jobs = {
        role: Job(
            role=role,
            op="WRITE",
            sizes=SIZES,
            nixl=Nixl.find(nixl if role == ours else peer_nixl),
            backend_params={"stripe": "all"} if role == ours else {},
            counters=rails.devices,
            shim=role == ours,
        )
        for role in ROLES
    }
    return rails.exchange(jobs, {role: {} for role in ROLES}).require()


@pytest.mark.parametrize("ours", ["initiator", "target"])
def test_a_peer_without_the_shim_meets_ours_as_before(
    rails: Rails, striped: Path, stock: Path, ours: str
) -> None:
    outcome = one_of_ours(rails, [striped], [stock], ours)
    assert outcome.rails_used == (4 if ours == "initiator" else 2)
    assert warned(outcome.initiator.log + outcome.target.log) == []


@pytest.mark.parametrize(("name", "version"), NIXL_VERSIONS, ids=NIXL_IDS)
def test_every_stock_nixl_takes_our_metadata(
    rails: Rails, request: pytest.FixtureRequest, fake_torch: Path, name: str, version: str
) -> None:
    module = name.replace("-", "_")
    patched, unpacked = (request.getfixturevalue(each) for each in ("patched", "unpacked"))
    outcome = one_of_ours(
        rails,
        [patched(name, version), fake_torch, module],
        [unpacked(name, version), fake_torch, module],
        "initiator",
    )
    assert outcome.rails_used == 4
