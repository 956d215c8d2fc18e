# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`bench fail` without a bed: its cuts, how rails are cut, what its rows and summary say."""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.bench import fail
from nixl_stripe.bench.fail_log import detected_s, said
from nixl_stripe.bench.fail_plan import LOADS, Fault, faults, sizes
from nixl_stripe.bench.options import Options, Sides
from nixl_stripe.errors import UsageError
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.cut import KINDS, WHERES, Cut, CutMade
from nixl_stripe.lab.job import OPS
from nixl_stripe.lab.outcome import Outcome, Repetition, SideError, SideReport
from nixl_stripe.lab.rails.cutter import Cutter
from nixl_stripe.lab.transfer import Transfer


def test_the_same_seed_gives_the_same_cuts_and_more_of_them_begin_alike() -> None:
    first = list(faults(20, 7, OPS, 4))
    assert list(faults(40, 7, OPS, 4))[:20] == first
    assert list(faults(20, 8, OPS, 4)) != first


def test_some_nic_lives_and_a_quarter_is_early_and_a_quarter_silent() -> None:
    found = list(faults(80, 1, OPS, 4))
    assert {len(fault.nics) for fault in found} == {1, 2, 3}
    assert all(set(fault.nics) < set(range(4)) for fault in found)
    assert sum(fault.at <= 0.3 for fault in found) >= 20
    assert sum(fault.kind == "silent" for fault in found) >= 20
    assert {fault.back_after_s is None for fault in found} == {True, False}


def test_every_two_factors_meet() -> None:
    found = list(faults(60, 3, OPS, 4))
    factors = {"op": OPS, "load": LOADS, "kind": KINDS, "where": WHERES}
    for (a, first), (b, second) in itertools.combinations(factors.items(), 2):
        met = {(getattr(fault, a), getattr(fault, b)) for fault in found}
        assert met == set(itertools.product(first, second)), (a, b)


def test_where_a_read_takes_one_nic_that_one_is_cut() -> None:
    found = list(faults(80, 1, OPS, 4, (0,)))
    assert {len(fault.nics) for fault in found} == {1, 2, 3}
    assert all(0 in fault.nics for fault in found if fault.op == "READ")
    assert not all(0 in fault.nics for fault in found if fault.op == "WRITE")


LOG = """W1127 16:25:30.500000  5446 nixl-stripe] on_nic_loss='resume': resume is on trial
E1127 16:25:31.200000  5446 ucx] something else
W1127 16:25:31.576435  5446 nixl-stripe] on_nic_loss: lost rail0 (it has no carrier); it goes on
W1127 16:25:33.000000  5446 nixl-stripe] on_nic_loss: back: rail0
"""


def test_what_was_said_and_when() -> None:
    cut = time.mktime((2026, 11, 27, 16, 25, 30, 0, 0, -1)) + 0.9
    assert detected_s(LOG, cut) == pytest.approx(0.676, abs=0.002)
    assert said(LOG) == ["lost rail0 (it has no carrier); it goes on", "back: rail0"]


def test_nothing_was_said_bad_flow() -> None:
    assert detected_s(LOG, None) is None
    assert detected_s("no such line", 0.0) is None
    assert detected_s(LOG, time.mktime((2026, 11, 27, 16, 25, 40, 0, 0, -1))) is None
    assert said("W1127 nothing\n") == []


def test_one_nic_cannot_be_lost_bad_flow() -> None:
    with pytest.raises(ValueError, match="1 NIC: accepted are 2 and more"):
        list(faults(1, 0, OPS, 1))


def test_loads_are_of_about_the_same_bytes() -> None:
    assert sizes("one", 1 << 20) == (1 << 20,)
    mixed = sizes("mixed", 16 << 20)
    assert len(mixed) == 290
    assert sum(mixed) == pytest.approx(16 << 20, rel=0.01)
    assert sizes("small", 1 << 30) == (4096,) * 3000
    with pytest.raises(ValueError, match="load='big': accepted are one, mixed, small"):
        sizes("big", 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nics": ()}, "one or more places"),
        ({"after_bytes": -1}, "0 and more"),
        ({"where": "middle"}, "accepted are initiator, target, both"),
        ({"kind": "slow"}, "accepted are down, silent"),
        ({"sender": "peer"}, "accepted are initiator, target"),
    ],
)
def test_cuts_that_make_no_sense_bad_flow(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Cut(**{"nics": (0,), "after_bytes": 1, **change})


def test_a_cut_survives_json() -> None:
    cut = Cut((1, 2), 5, "target", "both", "silent", 0.5)
    assert Cut.of(json.loads(json.dumps(dataclasses.asdict(cut)))) == cut


class Rail:
    """One end of the rails that writes down what is done to it."""

    def __init__(self) -> None:
        self.sent = 1000
        self.done: list[tuple[Any, ...]] = []
        self.looks: list[str] = []

    def sent_bytes(self, _: str) -> int:
        return self.sent

    def set_state(self, name: str, up: bool) -> None:
        self.done.append(("state", name, up))

    def is_up(self, name: str) -> bool:
        self.looks.append(name)
        return len(self.looks) > 3

    def drop_all(self, name: str) -> None:
        self.done.append(("drop", name))

    def limit(self, name: str, mbit: float) -> None:
        self.done.append(("limit", name, mbit))


def cutter(cut: Cut) -> tuple[Cutter, dict[str, Any]]:
    ends: dict[str, Any] = {"initiator": Rail(), "target": Rail()}
    return Cutter(ends, cut, ("rail0", "rail1"), 100), ends


def test_a_rail_is_cut_when_it_has_sent_enough_and_whole_at_the_end() -> None:
    made, ends = cutter(Cut((1,), 500))
    assert made.step()
    assert ends["initiator"].done == []
    ends["initiator"].sent += 500
    assert made.step() is None
    assert ends["initiator"].done == [("state", "rail1", False)]
    assert made.step() is None
    result = made.restore()
    assert result.at_s is not None
    assert result.at_unix_s == pytest.approx(time.time(), abs=60)
    assert result.back_s is None
    assert ends["initiator"].done[1:] == [("state", "rail1", True)]
    assert ends["target"].done == []
    assert all(len(end.looks) > 3 for end in ends.values()), "its carrier is waited for"


def test_a_silent_rail_drops_and_comes_back() -> None:
    made, ends = cutter(Cut((0, 1), 0, where="both", kind="silent", back_after_s=0.0))
    assert made.step() is None
    for end in ends.values():
        cut, back = end.done[:2], end.done[2:]
        assert cut == [("drop", "rail0"), ("drop", "rail1")]
        assert back == [("limit", "rail0", 100), ("limit", "rail1", 100)]
    assert made.restore().back_s is not None


def test_a_rail_that_never_sends_enough_is_left_alone_bad_flow() -> None:
    made, ends = cutter(Cut((1,), 500))
    assert made.step()
    assert made.restore() == CutMade()
    assert ends["initiator"].done == []


class FakeBed(Bed):
    """A bed on which stock loses every transfer that is cut, and one of them silently."""

    name = "rdma"
    where = "nowhere"
    counters = ("rail0", "rail1", "rail2", "rail3")
    limit_mbit = 10.0

    def __init__(self) -> None:
        self.wishes: list[Transfer] = []

    def close(self) -> None:
        """Nothing to do."""

    def sides(self, *_: Any) -> Any:
        raise NotImplementedError

    def transfer(self, wish: Transfer | None = None, **_: Any) -> Outcome:
        assert wish is not None
        self.wishes.append(wish)
        mine, theirs = SideReport("initiator"), SideReport("target", verified=1)
        job = wish.jobs(self.counters, 1)["initiator"]
        rows = (Repetition(0, 2.0, {"rail0": 1, "rail1": 1, "rail2": 1, "rail3": 1}),)
        self.cut_made = CutMade(None if self.cut is None else 0.5)
        if self.cut is None:
            return Outcome.of(job, dataclasses.replace(mine, repetitions=rows), theirs)
        text = "boom"
        kind = "TimeoutError" if self.cut.kind == "silent" else "nixlRemoteDisconnectError"
        if len(self.wishes) == 2:
            kind, text = (
                "PayloadMismatchError",
                "buffer 0: 1 of 4 bytes differ; 7 bytes in all buffers",
            )
        return Outcome.of(
            job, dataclasses.replace(mine, error=SideError("target", kind, text)), theirs
        )


def measured(tmp_path: Path, cuts: int, bed: FakeBed, **more: Any) -> dict[str, Any]:
    options = Options(bed="rdma", nics=4, ops=("WRITE",))
    return fail.measure(
        bed, Sides(), options, lambda _: None, cuts, 5, ("stock",), tmp_path / "kept.json", **more
    )


def test_rows_and_summary(tmp_path: Path) -> None:
    document = measured(tmp_path, 8, FakeBed())
    (found,) = document["summary"]
    silent = sum(row["kind"] == "silent" for row in document["rows"][1:])
    assert found == {
        "bed": "rdma",
        "mode": "stock",
        "cuts": 8,
        "wrong": 1,
        "errors": 7 - silent,
        "hangs": silent,
    }
    row = document["rows"][0]
    assert (row["wrong_bytes"], row["ok"], row["undisturbed_s"]) == (7, False, 2.0)
    assert row["cut"]["at_s"] == 0.5


def test_a_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    measured(tmp_path, 3, FakeBed())
    bed = FakeBed()
    document = measured(tmp_path, 5, bed)
    assert [row["number"] for row in document["rows"]] == [0, 1, 2, 3, 4]
    assert sum(wish.look_again_s > 0 for wish in bed.wishes) == len(bed.wishes) <= 4


def test_a_file_of_another_run_is_refused_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text('{"options": {}, "rows": []}')
    with pytest.raises(UsageError, match="of a run with other options"):
        measured(tmp_path, 1, FakeBed())
    (tmp_path / "kept.json").write_text("[]")
    with pytest.raises(UsageError, match="no result of this benchmark"):
        measured(tmp_path, 1, FakeBed())


def test_a_mode_that_is_none_bad_flow() -> None:
    with pytest.raises(UsageError, match="--mode hope: accepted are stock, error, failover"):
        fail.measure(FakeBed(), Sides(), Options(), lambda _: None, modes=("hope",))


def test_a_fault_says_where_the_payload_comes_from() -> None:
    fault = Fault(0, "READ", "one", "down", "target", (1,), 0.5, None)
    cut = fault.cut(4000, 4)
    assert (cut.after_bytes, cut.sender, cut.sides) == (500, "target", ("target",))
