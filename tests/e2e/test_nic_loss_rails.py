# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A rail is cut in the middle of a transfer: what is lost, what failover's gate is for, and resume.

Over TCP, failover is no mode for users (UCX fails a READ there); a WRITE shows the gate all the
same, and here each run does, while over RDMA few would. What resumes has a stock peer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import Outcome, Rails
from nixl_stripe.lab.cut import Cut
from nixl_stripe.lab.job import Op
from nixl_stripe.proof.agents import parse
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


@pytest.fixture
def resumed(
    slow_rails: Rails, patched: Callable[[str, str], Path], stock: Path
) -> Iterator[Callable[..., Outcome]]:
    def transfer(count: int, cut: Cut | None, op: Op = "WRITE", **more: str) -> Outcome:
        slow_rails.cut = cut
        return slow_rails.transfer(
            sizes=SIZES[:count],
            op=op,
            nixl=patched("nixl-cu12", NEWEST),
            peer_nixl=stock,
            backend_params={"stripe": "all", "on_nic_loss": "resume"} | more,
            peer_params={"engine_config": "MAX_RMA_RAILS=4"},
            look_again_s=1,
            limit_s=15,
        )

    yield transfer
    slow_rails.cut = None


def goes_on(transfer: Callable[[], Outcome], *says: str) -> Outcome:
    """Return the first of three transfers that was resumed and whose log says these.

    The evidence is the kernel's and takes its time: a busy machine may end one with an error. Wrong
    bytes are a failure in any of them.
    """
    for _ in range(3):
        outcome = transfer()
        assert outcome.error is None or outcome.error.type != "PayloadMismatchError"
        if outcome.error is None and all(each in outcome.initiator.log for each in says):
            return outcome
    raise AssertionError(f"{outcome.error}: {outcome.initiator.log[-3000:]}")


def figure(folder: Path, name: str, nic: str | None = None) -> int:
    """Return what the last initiator wrote of itself in the end; nic: of one NIC alone."""
    file = max(folder.glob("*.prom"), key=lambda each: each.stat().st_mtime_ns)
    samples = parse(file.read_bytes(), file.stem).samples
    labels = () if nic is None else (nic,)
    (value,) = (each.value for each in samples if (each.name, each.labels) == (name, labels))
    return value


def test_a_backend_that_cannot_resume_is_refused_bad_flow(resumed: Callable[..., Outcome]) -> None:
    outcome = resumed(1, None, num_threads="2")
    assert outcome.error is not None
    assert "on_nic_loss='resume' cannot be had: it was not tried with num_threads" in str(
        outcome.error
    )


def test_auto_is_an_error_as_in_stock_where_a_backend_cannot_resume(
    resumed: Callable[..., Outcome],
) -> None:
    outcome = resumed(1, None, num_threads="2", on_nic_loss="auto")
    assert outcome.error is None
    says = "on_nic_loss='auto': no transfer is resumed: it was not tried with num_threads"
    assert says in outcome.initiator.log


def test_a_write_goes_on_over_the_rails_that_are_left(
    resumed: Callable[..., Outcome], tmp_path: Path
) -> None:
    """Both are silent, and nothing but what is not answered tells which they are."""
    cut = Cut((1, 2), SIZES[0] * 40 * 2 // 5, where="target", kind="silent")
    outcome = goes_on(
        lambda: resumed(160, cut, stripe_metrics=str(tmp_path / "%p.prom")),
        "rail1 (nothing that was sent over it was answered)",
        "rail2 (nothing that was sent over it was answered)",
        "; the transfer with 'target' goes on over rail0, rail3",
    )
    assert outcome.share["rail1"] < 0.2
    assert figure(tmp_path, "resumes_total") in (1, 2)
    assert figure(tmp_path, "nic_losses_total", nic="rail1") == 1
    assert figure(tmp_path, "nic_losses_total", nic="rail0") == 0
    assert figure(tmp_path, "planned_nics") == 4


def test_a_read_goes_on_over_another_rail(resumed: Callable[..., Outcome]) -> None:
    """Over TCP, UCX reads over one rail. `auto` chooses it too."""
    cut = Cut((0,), SIZES[0] * 10, sender="target")
    goes_on(lambda: resumed(40, cut, "READ", on_nic_loss="auto"), "lost rail0 (it has no carrier)")


def test_without_a_rail_left_an_error_says_so_bad_flow(
    resumed: Callable[..., Outcome], tmp_path: Path
) -> None:
    metrics = str(tmp_path / "%p.prom")
    outcome = resumed(160, Cut((0, 1, 2, 3), SIZES[0] * 10), stripe_metrics=metrics)
    assert outcome.error is not None
    assert outcome.error.type == "nixlRemoteDisconnectError"
    assert "every NIC to 'target' is lost: rail0" in outcome.initiator.log
    assert figure(tmp_path, "resumes_total") == 0
    assert figure(tmp_path, "errors_total") > 0
