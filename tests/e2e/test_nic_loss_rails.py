# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A rail is cut in the middle of a transfer: what is lost, and what the gate of failover is for.

Over TCP, failover is no mode for users (UCX fails a READ there); a WRITE shows the gate all the
same, and here each run does, while over RDMA few would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import Outcome, Rails
from nixl_stripe.lab.cut import Cut
from nixl_stripe.versions import NEWEST

pytestmark = pytest.mark.rails

SIZES = (80 << 10,) * 400
#: When 30 % of one rail's part are sent.
CUT = Cut(nics=(1,), after_bytes=sum(SIZES) // 4 * 3 // 10)
TRIAL = "failover,failover-over-tcp"


@pytest.fixture(scope="module")
def slow_rails(needs_rails: None) -> Iterator[Rails]:
    """Rails on which a transfer takes a second, so that it is under way when a rail is cut."""
    with Rails(count=4, mbit=50) as bed:
        yield bed


@pytest.fixture
def cut_transfer(
    slow_rails: Rails, patched: Callable[[str, str], Path]
) -> Iterator[Callable[..., Outcome]]:
    def transfer(loss: str, words: str = "", cut: Cut | None = CUT) -> Outcome:
        slow_rails.cut = cut
        found = slow_rails.transfer(
            sizes=SIZES,
            nixl=patched("nixl-cu12", NEWEST),
            backend_params={"stripe": "all", "on_nic_loss": loss},
            environment={"UCX_TCP_USER_TIMEOUT": "1s", "NIXL_STRIPE_EXPERIMENTAL": words},
            look_again_s=2,
            limit_s=15,
        )
        assert (slow_rails.cut_made.at_s is None) == (cut is None)
        return found

    yield transfer
    slow_rails.cut = None


def _is_wrong(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.type == "PayloadMismatchError"


def _tries(
    cut_transfer: Callable[..., Outcome], words: str, *, until: Callable[[Outcome], bool]
) -> list[Outcome]:
    """Cut up to three transfers: over TCP, UCX now and then never ends one that lost a rail."""
    seen: list[Outcome] = []
    while len(seen) < 3 and not (seen and until(seen[-1])):
        seen.append(cut_transfer("failover", words))
    return seen


def test_without_failover_the_transfer_is_lost_bad_flow(
    cut_transfer: Callable[..., Outcome],
) -> None:
    outcome = cut_transfer("error")
    assert not outcome.ok
    assert outcome.error is not None
    assert "PayloadMismatch" not in outcome.error.type


def test_failover_brings_every_byte_before_it_says_done(
    cut_transfer: Callable[..., Outcome],
) -> None:
    seen = _tries(cut_transfer, TRIAL, until=lambda outcome: outcome.ok)
    assert seen[-1].ok, [outcome.error for outcome in seen]
    assert seen[-1].share["rail1"] < 0.25
    assert not any(_is_wrong(outcome) for outcome in seen)


def test_without_the_gate_done_comes_before_the_bytes_bad_flow(
    cut_transfer: Callable[..., Outcome],
) -> None:
    seen = _tries(cut_transfer, TRIAL + ",failover-without-gate", until=_is_wrong)
    assert _is_wrong(seen[-1]), [outcome.error for outcome in seen]


def test_with_nothing_cut_failover_uses_every_rail(cut_transfer: Callable[..., Outcome]) -> None:
    assert cut_transfer("failover", TRIAL, None).require().rails_used == 4


def test_the_mode_is_not_offered_bad_flow(cut_transfer: Callable[..., Outcome]) -> None:
    outcome = cut_transfer("failover", "", None)
    assert outcome.error is not None
    assert "on_nic_loss='failover': over TCP, UCX fails every READ" in str(outcome.error)
