# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The alert rules by promtool, in its own time: what fires, and what must not.

Each is looked at for scrapes every 15, 30 and 60 s.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from alert_hosts import END_S, Host
from prometheus_programs import promtool

FOLDER = Path(__file__).parents[2] / "examples" / "prometheus"
RULES = (FOLDER / "rules.yml").read_text("utf-8")
ALERTS = re.findall(r"- alert: (\w+)", RULES)
CRITICAL = ("NixlStripeNicLost", "NixlStripeNicsMissing")
INTERVALS = (15, 30, 60)

Labels = Mapping[str, str]
Fires = tuple[str, str, tuple[Labels, ...]]
"""When, which alert, with which labels beside `instance`."""


def fired(folder: Path, host: Host, expected: Sequence[Fires]) -> None:
    """Have promtool compare one host's alerts; see `all_fired`."""
    all_fired(folder, {"": (host, expected)})


def all_fired(folder: Path, hosts: Mapping[str, tuple[Host, Sequence[Fires]]]) -> None:
    """Have promtool compare; labels of an alert must match to the letter, its text does not count.

    In one run: a promtool takes a second to start.
    """
    rules = re.sub(r"(?m)^        annotations:\n(          .*\n)+", "", RULES)
    assert "summary" not in rules
    (folder / "rules.yml").write_text(rules)
    tests = [
        {
            "name": name,
            "interval": f"{host.interval_s}s",
            "input_series": host.series,
            "alert_rule_test": [check(*each) for each in expected],
        }
        for name, (host, expected) in hosts.items()
    ]
    text = {"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": tests}
    (folder / "tests.yml").write_text(json.dumps(text))  # JSON is YAML
    promtool(folder, "test", "rules", "tests.yml")


def check(when: str, alert: str, found: tuple[Labels, ...]) -> dict[str, Any]:
    severity = "critical" if alert in CRITICAL else "warning"
    labels = [
        {"severity": severity, **({} if each is NOBODY else {"instance": "a"}), **each}
        for each in found
    ]
    expected = [{"exp_labels": each} for each in labels]
    return {"eval_time": when, "alertname": alert, "exp_alerts": expected}


def nic(*numbers: int, **more: str) -> tuple[Labels, ...]:
    return tuple({"nic": f"mlx5_{number}", **more} for number in numbers)


def silence(but: Sequence[str] = (), times: Sequence[str] = ("3m", "9m", "19m")) -> list[Fires]:
    return [(when, alert, ()) for alert in ALERTS if alert not in but for when in times]


every = pytest.mark.parametrize("interval_s", INTERVALS)
ONE: tuple[Labels, ...] = ({},)
NOBODY: Labels = {}
NOWHERE: tuple[Labels, ...] = (NOBODY,)
CHATTER = 0.0001
QUIET: dict[str, Any] = {
    "idle": lambda host: host.nics(*[CHATTER] * 4),
    "even work": lambda host: host.nics(*[103] * 4).agent(*[100] * 4),
    "even work that is expected": lambda host: host.nics(*[103] * 4).gauge("expect_stripe", 1),
    "bursts": lambda host: host.nics(
        *[[(start, 900 * (start // 60 % 3 == 0)) for start in range(0, END_S, 60)]] * 4
    ).agent(*[[(start, 870 * (start // 60 % 3 == 0)) for start in range(0, END_S, 60)]] * 4),
    "bursts of which the agent tells a scrape later": lambda host: host.nics(
        *[[(start, 900 * (start % 480 == 0)) for start in range(0, END_S, 60)]] * 4
    ).agent(
        *[
            [(0, 0), *((start + host.interval_s * (start % 480 == 0), 870 * (start % 480 == 0))
            for start in range(60, END_S, 60))]
        ] * 4
    ),
    "other traffic beside ours": lambda host: host.nics(400, 103, 103, 103).agent(*[100] * 4),
    "a NIC that is due more": lambda host: host.nics(
        206, 103, 103, 103, due={0: 0.4, 1: 0.2, 2: 0.2, 3: 0.2}
    ).agent(200, 100, 100, 100),
    # nobody of NIXL is there
    "ssh on one of two": lambda host: host.nics(2, CHATTER),
    "storage on one of four": lambda host: host.nics(2000, *[CHATTER] * 3),
    "storage on two of four": lambda host: host.nics(2000, 2000, CHATTER, CHATTER),
    "storage on three of four": lambda host: host.nics(2000, 2000, 2000, CHATTER),
    "chatter on five of eight": lambda host: host.nics(*[0.15] * 5, *[CHATTER] * 3),
    "chatter that is expected to be none": lambda host: host.nics(
        *[0.15] * 5, *[CHATTER] * 3
    ).gauge("expect_stripe", 1),
    "storage on two while agents do nothing": lambda host: host.nics(
        2000, 2000, CHATTER, CHATTER
    ).agent(*[0] * 4),
    "an agent for each of five GPUs and NICs": lambda host: host.nics(
        *[5000] * 5, *[CHATTER] * 3
    ).agent(*[4900] * 5, name="w0"),
    "two processes of one host, which no port counts": lambda host: host.nics(
        *[CHATTER] * 4
    ).agent(*[500] * 4),
    "an agent whose user wants two rails": lambda host: host.nics(
        1030, 1030, CHATTER, CHATTER
    ).agent(1000, 1000, 0, 0, rails=2),
    "a NIC that is not planned has no link and no counters": lambda host: host.nics(*[103] * 4)
    .replaced("nic_planned", "mlx5_3", (0, 0))
    .replaced("nic_up", "mlx5_3", (0, 0))
    .replaced("nic_trusted", "mlx5_3", (0, 0)),
}  # fmt: skip


@every
def test_twenty_minutes_without_an_alert(tmp_path: Path, interval_s: int) -> None:
    hosts = {}
    for what, make in QUIET.items():
        if interval_s != INTERVALS[-1] and not what.startswith(("burst", "even")):
            continue  # steady traffic is the same at all of them
        host = Host(interval_s)
        make(host)
        hosts[what] = host, silence()
    all_fired(tmp_path, hosts)


def test_idle_hours(tmp_path: Path) -> None:
    times = [f"{minute}m" for minute in range(2, 60, 3)]
    idle = Host(15, end_s=3600).nics(*[CHATTER] * 4).agent(*[0] * 4)
    expected = Host(15, end_s=3600).nics(*[CHATTER] * 4)
    expected.gauge("expect_stripe", 1)
    hosts = {"idle": (idle, silence(times=times)), "expected": (expected, silence(times=times))}
    all_fired(tmp_path, hosts)


@every
def test_a_cut_nic_is_told_within_two_scrapes(tmp_path: Path, interval_s: int) -> None:
    """The link goes at five minutes."""
    host = Host(interval_s).nics(103, 103, 103, [(0, 103), (300, 0)])
    host.replaced("nic_up", "mlx5_3", (0, 1), (300, 0))
    host.agent(100, 100, 100, 100)
    expected: list[Fires] = [
        ("4m45s", "NixlStripeNicLost", ()),
        (f"{300 + interval_s}s", "NixlStripeNicLost", nic(3)),
        ("5m", "NixlStripePlannedNicIdle", ()),
        ("10m", "NixlStripePlannedNicIdle", nic(3)),
        ("13m", "NixlStripeShareOff", nic(3)),
    ]
    fired(tmp_path, host, expected)


@every
@pytest.mark.parametrize("direction", ["out", "in"])
def test_two_nics_of_eight_carry_what_agents_hand_to_all(
    tmp_path: Path, interval_s: int, direction: str
) -> None:
    host = Host(interval_s).nics(400, 400, *[CHATTER] * 6, direction=direction)
    host.agent(*[100] * 8, direction=direction)
    expected: list[Fires] = [
        ("10m", "NixlStripePlannedNicIdle", nic(*range(2, 8))),
        ("10m", "NixlStripeShareOff", nic(*range(2, 8))),
        *silence(["NixlStripePlannedNicIdle", "NixlStripeShareOff"]),
    ]
    fired(tmp_path, host, expected)


@every
def test_a_patch_that_was_lost_is_told_where_stripe_is_expected(
    tmp_path: Path, interval_s: int
) -> None:
    """A stock plugin: no agent's file, two of eight NICs carry everything."""
    host = Host(interval_s).nics(2000, 2000, *[CHATTER] * 6)
    host.gauge("expect_stripe", 1)
    expected: list[Fires] = [
        ("5m", "NixlStripeNotAtWork", ()),
        ("10m", "NixlStripeNotAtWork", ONE),
        ("19m", "NixlStripeNotAtWork", ONE),
        *silence(["NixlStripeNotAtWork"]),
    ]
    fired(tmp_path, host, expected)


@every
def test_a_nic_at_half_of_what_it_is_handed(tmp_path: Path, interval_s: int) -> None:
    host = Host(interval_s).nics(120, 120, 120, 50).agent(*[100] * 4)
    expected: list[Fires] = [
        ("4m", "NixlStripeShareOff", ()),
        ("9m", "NixlStripeShareOff", nic(3)),
        *silence(["NixlStripeShareOff"]),
    ]
    fired(tmp_path, host, expected)


@every
def test_an_agent_that_leaves_out_nics_of_its_plan(tmp_path: Path, interval_s: int) -> None:
    host = Host(interval_s).nics(206, 206, *[CHATTER] * 6).agent(100, 100, *[0] * 6)
    host.agent(*[100] * 2, name="w1")
    labels = {"agent_name": "w0", "process": "h-w0"}
    expected: list[Fires] = [
        ("10m", "NixlStripeAgentUneven", nic(*range(2, 8), **labels)),
        *silence(["NixlStripeAgentUneven"]),
    ]
    fired(tmp_path, host, expected)


@every
def test_counters_that_went_away(tmp_path: Path, interval_s: int) -> None:
    """The NIC idles no more than before: what it carries is not known."""
    host = Host(interval_s).nics(103, [(0, 103), (300, 0)], 103, 103).agent(*[100] * 4)
    host.replaced("nic_trusted", "mlx5_1", (0, 1), (300, 0))
    expected: list[Fires] = [
        ("5m", "NixlStripeBlind", ()),
        ("8m", "NixlStripeBlind", nic(1)),
        *silence(["NixlStripeBlind"]),
    ]
    fired(tmp_path, host, expected)


@every
def test_a_peer_without_stripe(tmp_path: Path, interval_s: int) -> None:
    """Of two agents one reaches a peer through fewer NICs, from five minutes on."""
    host = Host(interval_s).nics(*[103] * 4)
    host.gauge("agent_narrow_peers", 0, agent_name="w0", process="p")
    host.gauge("agent_narrow_peers", (0, 0), (300, 1), agent_name="w1", process="p")
    expected: list[Fires] = [
        ("9m", "NixlStripeNarrowPeer", ()),
        ("12m", "NixlStripeNarrowPeer", ({"agent_name": "w1", "process": "p"},)),
    ]
    fired(tmp_path, host, expected)


@every
def test_fewer_nics_than_expected(tmp_path: Path, interval_s: int) -> None:
    host = Host(interval_s).nics(*[103] * 4)
    host.gauge("expected_nics", (0, 4), (600, 5))
    expected: list[Fires] = [
        ("9m", "NixlStripeNicsMissing", ()),
        ("13m", "NixlStripeNicsMissing", ONE),
    ]
    fired(tmp_path, host, expected)


@every
def test_files_that_are_refused(tmp_path: Path, interval_s: int) -> None:
    host = Host(interval_s).nics(*[103] * 4)
    host.gauge("agent_files_refused", (0, 0), (300, 2))
    expected: list[Fires] = [
        ("9m", "NixlStripeFilesRefused", ()),
        ("12m", "NixlStripeFilesRefused", ONE),
    ]
    fired(tmp_path, host, expected)


@every
def test_an_export_that_is_gone(tmp_path: Path, interval_s: int) -> None:
    """From twenty minutes on: its job says so, or only its metrics are missing."""
    quiet = Host(interval_s, end_s=2400)
    count = 2400 // interval_s
    quiet.series = []
    quiet.gauge("build_info", (0, 1), (1200, None))
    gone: list[Fires] = [
        ("19m", "NixlStripeExportGone", ()),
        ("29m", "NixlStripeExportGone", ONE),
        ("39m", "NixlStripeExportGone", ONE),
        ("35m", "NixlStripeNoExport", NOWHERE),
    ]
    fired(tmp_path, quiet, gone)
    down = Host(interval_s, end_s=2400)
    down.series.append({
        "series": 'up{instance="a",job="nixl-stripe"}',
        "values": f"1x{1200 // interval_s - 1} 0x{count - 1200 // interval_s}",
    })  # fmt: skip
    expected: list[Fires] = [
        ("19m", "NixlStripeExportGone", ()),
        ("25m", "NixlStripeExportGone", ONE),
    ]
    fired(tmp_path, down, expected)


@every
def test_a_text_file_that_nobody_writes(tmp_path: Path, interval_s: int) -> None:
    host = Host(interval_s)
    host.gauge("write_interval_seconds", 15)
    times = [str(min(second, 600)) for second in range(0, END_S + 1, interval_s)]
    name = 'nixl_stripe_written_timestamp_seconds{instance="a"}'
    host.series.append({"series": name, "values": " ".join(times)})
    expected: list[Fires] = [
        ("10m", "NixlStripeTextfileOld", ()),
        ("13m", "NixlStripeTextfileOld", ONE),
    ]
    fired(tmp_path, host, expected)


@every
def test_two_scrape_jobs_count_nothing_twice(tmp_path: Path, interval_s: int) -> None:
    hosts = [
        Host(interval_s, job).nics(103, 103, 103, CHATTER).agent(*[100] * 4) for job in ("x", "y")
    ]
    hosts[0].series += hosts[1].series
    hosts[0].replaced("nic_up", "mlx5_2", (0, 0))
    expected: list[Fires] = [
        ("10m", "NixlStripePlannedNicIdle", nic(3)),
        ("10m", "NixlStripeNicLost", nic(2)),
        *silence(["NixlStripePlannedNicIdle", "NixlStripeNicLost", "NixlStripeShareOff"]),
    ]
    fired(tmp_path, hosts[0], expected)


def test_promtool_notices_what_did_not_fire_bad_flow(tmp_path: Path) -> None:
    host = Host(15).nics(*[103] * 4).agent(*[100] * 4)
    with pytest.raises(AssertionError, match="NixlStripePlannedNicIdle"):
        fired(tmp_path, host, [("5m", "NixlStripePlannedNicIdle", nic(0))])


def test_the_rules_as_they_are_with_their_texts(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "rules.yml", tmp_path)
    promtool(tmp_path, "check", "rules", "rules.yml")
    assert RULES.count("summary:") == len(ALERTS) == 12
