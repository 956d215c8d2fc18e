# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""From what a transfer showed to a verdict: shares, proof, and the likely cause."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from nixl_stripe.lab.beds.base import Bed
from nixl_stripe.lab.cost import Cpu
from nixl_stripe.lab.outcome import Outcome, Repetition, SideError, SideReport
from nixl_stripe.planning.forecast import UcxPort
from nixl_stripe.planning.parts import PlannedNic, PlannedSetting
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.verify import OpResult, Report, Request, run, verify
from nixl_stripe.verify.judge import judge, short_of

MIB = 1 << 20
NICS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3")
PATCHED = {"max_rma_rails": "", "stripe": ""}
EVEN = (16.0, 16.0, 16.0, 16.0)
TWO = (32.0, 32.0, 0.0, 0.0)


def plan(*rates: float, **more: Any) -> StripePlan:
    devices = tuple(f"{name}:1" for name in NICS[: len(rates)])
    nics = tuple(PlannedNic(d, r) for d, r in zip(devices, rates, strict=True))
    fields: dict[str, Any] = {"nics": nics, "ceiling_gbps": sum(rates), **more}
    return StripePlan("/sys", {"stripe": "all"}, True, devices, len(devices), **fields)


FOUR = plan(400, 400, 400, 400)


def lanes_log(op: str, text: str) -> str:
    function = "ucp_get" if op == "READ" else "ucp_put"
    rows = (
        "a inter-node cfg#2",
        f"remote memory access by {function}*(multi) from host memory to host",
        f"0..inf | {text}",
    )
    return "\n".join(f"[1.5] [host:1:0]   | {row} |" for row in rows)


def even_lanes(count: int) -> str:
    part = 100 // count
    return "zero-copy | " + listed([f"{part}% on rc_mlx5/{name}:1" for name in NICS[:count]])


def listed(parts: list[str]) -> str:
    """As UCX joins them."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def outcome(
    mib: tuple[float, ...] = EVEN,
    lanes: str | None = None,
    op: str = "WRITE",
    mine: StripePlan | None = FOUR,
    theirs: StripePlan | None = FOUR,
    params: dict[str, str] | None = None,
    peer_params: dict[str, str] | None = None,
    size: int = 64 * MIB,
    **more: Any,
) -> Outcome:
    counted = {name: round(each * MIB) for name, each in zip(NICS, mib, strict=False)}
    text = even_lanes(sum(each > 0 for each in mib)) if lanes is None else lanes
    initiator = SideReport(
        "initiator",
        nixl_file="/opt/site-packages/nixl_cu12/_api.py",
        nixl_version="1.5.1",
        plugin_params=PATCHED if params is None else params,
        repetitions=(Repetition(0.001, 0.5, counted),),
        plan=None if mine is None else mine.to_dict(),
        log=lanes_log(op, text),
        **more,
    )
    target = dataclasses.replace(
        initiator,
        side="target",
        plugin_params=PATCHED if peer_params is None else peer_params,
        repetitions=(),
        plan=None if theirs is None else theirs.to_dict(),
        verified=1,
    )
    return Outcome(op, "dram", (size,), NICS[: len(mib)], 1, initiator, target)  # type: ignore[arg-type]


def judged(request: Request | None = None, **how: Any) -> OpResult:
    return judge(request or Request(repeats=1), outcome(**how))


def test_four_even_nics_pass() -> None:
    result = judged()
    assert result.ok
    assert result.proof == "bytes"
    assert result.causes == ()
    assert dict(result.due) == dict.fromkeys(NICS, 0.25)
    data = result.to_dict()
    keys = {"ok", "op", "planned", "lanes", "bytes", "share", "gbps", "stock"}
    assert keys <= data.keys()
    assert data["share"] == dict.fromkeys(NICS, 0.25)
    assert data["lanes"] == dict.fromkeys(NICS, 0.25)
    assert data["gbps"] == pytest.approx(64 * MIB * 8e-9 / 0.5)
    assert result.describe().splitlines()[-1] == "  ok"


PORTS = tuple(UcxPort(f"{name}:1", True, 5e10) for name in NICS)


def settled(rails: str) -> StripePlan:
    """Return a plan whose forecast is known: four equal NICs and a number of rails."""
    settings = (PlannedSetting("MAX_RMA_RAILS", rails),)
    return plan(400, 400, 400, 400, ports=PORTS, settings=settings)


def test_the_forecast_stands_beside_what_happened() -> None:
    result = judged(mine=settled("4"), theirs=settled("4"))
    assert result.forecast is not None
    assert dict(result.forecast) == pytest.approx(dict.fromkeys(NICS, 0.25))
    assert result.to_dict()["forecast"] == pytest.approx(dict.fromkeys(NICS, 0.25))
    assert "forecast" in result.describe().splitlines()[1]
    assert judged(mine=settled("4"), theirs=None).forecast is None


def test_a_rule_of_ucx_that_was_foreseen_is_the_cause_bad_flow() -> None:
    result = judged(mib=TWO, mine=settled("2"), theirs=settled("2"))
    assert result.short == ("mlx5_2", "mlx5_3")
    causes = [cause for cause in result.causes if "UCX leaves mlx5_2 out: " in cause.text]
    assert causes, result.causes
    assert causes[0].fix == "nixl-stripe plan --explain"


def test_half_of_the_share_is_the_limit() -> None:
    due = dict.fromkeys(NICS, 0.25)
    assert short_of(due, {"mlx5_0": 0.5, "mlx5_1": 0.2, "mlx5_2": 0.126, "mlx5_3": 0.124}) == (
        "mlx5_3",
    )


def test_shares_are_due_by_rate() -> None:
    result = judged(mib=(48, 12, 4), mine=plan(400, 100, 100), theirs=plan(400, 100, 100))
    assert result.due["mlx5_0"] == pytest.approx(4 / 6)
    assert result.short == ("mlx5_2",)


def test_two_ports_of_a_device_are_one_nic() -> None:
    both = dataclasses.replace(plan(400, 400), devices=("mlx5_0:1", "mlx5_0:2"), nics=())
    assert dict(judged(mib=(64,), mine=both, theirs=both).due) == {"mlx5_0": 1.0}


def test_the_plateau_on_a_stock_plugin_bad_flow() -> None:
    result = judged(mib=TWO, params={"num_workers": "1"}, peer_params={"num_workers": "1"})
    assert not result.ok
    assert result.short == ("mlx5_2", "mlx5_3")
    assert "both ends' UCX plugin (NIXL 1.5.1) is the stock one" in result.causes[0].text
    assert result.causes[0].fix == "nixl-stripe patch"
    text = result.describe()
    assert "FAILED: less than half of its share on mlx5_2, mlx5_3" in text
    assert "fix: nixl-stripe patch" in text


def test_only_the_target_is_stock_bad_flow() -> None:
    result = judged(mib=TWO, peer_params={"num_workers": "1"})
    assert result.causes[0].text.startswith("the target's UCX plugin")


@pytest.mark.parametrize(
    ("how", "text", "fix"),
    [
        (
            {"mine": plan(4, 4, 4, 4, kept=("MAX_RMA_RAILS='2' in engine_config",))},
            "a setting of your own is respected at the initiator: MAX_RMA_RAILS='2'",
            "take MAX_RMA_RAILS away",
        ),
        ({}, "at both ends, UCX_MAX_RMA_RAILS='2'", "unset UCX_MAX_RMA_RAILS"),
        (
            {"theirs": plan(400, 400, excluded={"mlx5_2": "no port is ACTIVE", "mlx5_3": "slow"})},
            "the target does not use its mlx5_2: no port is ACTIVE",
            "bring it up there",
        ),
        ({"theirs": plan(400, 400)}, "4 NIC(s) here", "same parameters"),
        (
            {"lanes": even_lanes(4)},
            "UCX gave mlx5_2, mlx5_3 lanes, but the bytes left by other NICs",
            "ip route get",
        ),
        ({"size": 4096}, "buffers of 4.0 KiB are too small for 4 NICs", "--size 48K or more"),
        (
            {"lanes": "zero-copy | nothing known", "environment": {}},
            "unknown; UCX's words",
            "doctor",
        ),
    ],
)
def test_likely_causes_bad_flow(how: dict[str, Any], text: str, fix: str) -> None:
    how = {"mib": TWO, "environment": {"UCX_MAX_RMA_RAILS": "2"}, **how}
    payload = {"size": 64 * MIB, **how}
    result = judged(Request(repeats=1), **payload)
    assert not result.ok
    found = [cause for cause in result.causes if text in cause.text]
    assert found, result.causes
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("op", "lanes", "text", "fix"),
    [
        ("READ", "software emulation | tcp/mlx5_0", "a READ over TCP", "--op write"),
        ("WRITE", "software emulation | tcp/mlx5_0", "UCX fell back to", "doctor"),
    ],
)
def test_software_emulation_bad_flow(op: str, lanes: str, text: str, fix: str) -> None:
    result = judged(mib=(64, 0, 0, 0), op=op, lanes=lanes)
    assert text in result.causes[0].text
    assert fix in result.causes[0].fix


def test_bytes_that_no_nic_counted_are_judged_by_lanes() -> None:
    """On one host the kernel loops the bytes back: the NICs do not see them."""
    result = judged(mib=(0.001, 0, 0, 0), lanes=even_lanes(4))
    assert (result.proof, result.ok) == ("lanes", True)
    assert "judged by UCX's lanes alone" in result.describe()
    assert judged(mib=(0.001, 0, 0, 0), lanes=even_lanes(2)).short == ("mlx5_2", "mlx5_3")


CUT = "zero-copy | 25% on rc_mlx5/mlx5_0:1, 25% on rc_mlx5/mlx5_1:1, 25% on rc_mlx5/mlx5_"


def test_a_lane_that_ucx_did_not_print_is_not_idle() -> None:
    by_bytes = judged(lanes=CUT)
    assert (by_bytes.proof, by_bytes.ok) == ("bytes", True)
    by_lanes = judged(mib=(0.001, 0, 0, 0), lanes=CUT)
    assert (by_lanes.proof, by_lanes.ok) == ("lanes", True)
    assert by_lanes.judged == dict.fromkeys(NICS, 0.25)
    said = by_lanes.describe()
    assert "UCX printed 2 lanes" in said
    assert "taken to share the rest" in said
    rows = {line.split()[0]: line.split() for line in said.splitlines() if "mlx5" in line}
    assert "?" in rows["mlx5_3"]
    assert "?" not in rows["mlx5_0"]


def test_what_is_left_may_be_too_little_bad_flow() -> None:
    full = "zero-copy | 45% on rc_mlx5/mlx5_0:1, 45% on rc_mlx5/mlx5_1:1, 5% on rc_mlx5/mlx5_"
    result = judged(mib=(0.001, 0, 0, 0), lanes=full)
    assert result.short == ("mlx5_2", "mlx5_3")
    counted = judged(mib=(32, 32, 0, 0), lanes=CUT)
    assert (counted.proof, counted.short) == ("bytes", ("mlx5_2", "mlx5_3"))


def test_neither_bytes_nor_lanes_is_no_proof_bad_flow() -> None:
    result = judged(mib=(0, 0, 0, 0), lanes="")
    assert (result.proof, result.ok) == ("none", False)
    assert "neither NICs nor UCX say" in result.describe()


def test_a_failed_transfer_is_not_ok_bad_flow() -> None:
    case = outcome()
    error = SideError("target", "PayloadMismatchError", "1 of 4 bytes differ")
    case = dataclasses.replace(
        case, target=dataclasses.replace(case.target, error=error, verified=0)
    )
    result = judge(Request(repeats=1), case)
    assert not result.ok
    assert "the transfer failed: target: PayloadMismatchError: 1 of 4 bytes differ" in (
        result.describe()
    )


def test_report_is_ok_when_each_result_is() -> None:
    good, bad = judged(), judged(mib=TWO)
    assert Report("here", (good,)).ok
    assert not Report("here", (good, bad)).ok
    assert not Report("here", ()).ok
    assert [each["ok"] for each in Report("here", (good, bad)).to_dict()["results"]] == [
        True,
        False,
    ]


def test_against_stock() -> None:
    result = judge(Request(repeats=1), outcome(), outcome(mib=TWO))
    data = result.to_dict()["stock"]
    assert data["share"] == {"mlx5_0": 0.5, "mlx5_1": 0.5, "mlx5_2": 0.0, "mlx5_3": 0.0}
    assert data["planned"] == list(NICS)
    assert "without parameters 1.07 on mlx5_0, mlx5_1 (1.00 times that)" in result.describe()


def test_what_the_processors_did_stands_beside_stock() -> None:
    spent = (Cpu(0.1, 0.025, 64 * MIB),)
    result = judge(Request(repeats=1), outcome(cpu=spent), outcome(mib=TWO, cpu=spent * 2))
    data = result.to_dict()
    side = {"user": 1.6, "system": 0.4, "total": 2.0}
    assert data["cpu_s_per_gib"] == {"initiator": side, "target": side}
    assert data["post_us_per_descriptor"] == 0
    assert data["stock"]["cpu_s_per_gib"] == data["cpu_s_per_gib"]
    line = next(row for row in result.describe().splitlines() if "CPU" in row)
    assert line == (
        "  CPU s/GiB: initiator 2 (2), target 2 (2); posting a descriptor: 0 us (0 us); "
        "in brackets without parameters"
    )


def test_sides_that_measured_no_processor_time_say_nothing_bad_flow() -> None:
    assert "CPU" not in judged().describe()
    assert judged().to_dict()["cpu_s_per_gib"] == {}


def test_request_bad_flow() -> None:
    with pytest.raises(ValueError, match="size=0"):
        Request(size=0)


class Shown(Bed):
    """A bed whose transfers have been made already."""

    name = where = "shown"
    counters = NICS

    def close(self) -> None:
        pass

    def sides(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def transfer(self, *_: Any, **__: Any) -> Outcome:
        return outcome()


@pytest.mark.parametrize(("load", "said"), [(1e6, True), (0.0, False)])
def test_a_busy_machine_is_said_beside_the_rates(
    load: float, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "load_average", lambda: load)
    report = verify(Request(repeats=1, ops=("READ",)), Shown())
    assert report.ok
    assert ("note: This machine was busy (load 1000000.0 on" in report.describe()) == said
    assert any("busy" in note for note in report.to_dict()["notes"]) == said
