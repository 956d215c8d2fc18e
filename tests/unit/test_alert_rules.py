# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The alert rules by promtool, in its own time: what fires, and what must not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_programs import promtool

FOLDER = Path(__file__).parents[2] / "examples" / "prometheus"
NICS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3")
ALERTS = (
    "NixlStripeNicLost",
    "NixlStripePlannedNicIdle",
    "NixlStripeShareOff",
    "NixlStripeBlind",
    "NixlStripeNarrowPeer",
)
SCRAPES = 240
"""An hour of them, 15 s apart."""
WORK = f"0+1500000000x{SCRAPES}"
"""100 MB/s."""
IDLE = f"7x{SCRAPES}"

Fires = tuple[str, str, tuple[str, ...]]
"""When, which alert, of which NICs."""


def host(traffic: Sequence[str], **others: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the series of a host whose NICs are due a quarter each, up and trusted."""
    defaults = {"due_share": "0.25", "planned": "1", "up": "1", "trusted": "1"}
    rows = []
    for nic, bytes_out in zip(NICS, traffic, strict=True):
        labels = f'instance="a",nic="{nic}"'
        name = f'nixl_stripe_nic_bytes_total{{{labels},direction="out"}}'
        rows.append({"series": name, "values": bytes_out})
        for what, usual in defaults.items():
            values = others.get(what, {}).get(nic, f"{usual}x{SCRAPES}")
            rows.append({"series": f"nixl_stripe_nic_{what}{{{labels}}}", "values": values})
    return rows


def fired(folder: Path, series: list[dict[str, str]], expected: Sequence[Fires]) -> None:
    """Have promtool compare; labels of an alert must match to the letter."""
    shutil.copy(FOLDER / "rules.yml", folder)
    severity = {"NixlStripeNicLost": "critical"}
    checks: list[dict[str, Any]] = [
        {
            "eval_time": when,
            "alertname": alert,
            "exp_alerts": [
                {"exp_labels": {"severity": severity.get(alert, "warning"), **labels},
                 "exp_annotations": {"summary": SUMMARIES[alert].format(**labels)}}
                for labels in ({"instance": "a", LABEL.get(alert, "nic"): name} for name in names)
            ],
        }
        for when, alert, names in expected
    ]  # fmt: skip
    test = {"interval": "15s", "input_series": series, "alert_rule_test": checks}
    text = {"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": [test]}
    (folder / "tests.yml").write_text(json.dumps(text))  # JSON is YAML
    promtool(folder, "test", "rules", "tests.yml")


SUMMARIES = {
    "NixlStripeNicLost": "{nic} of {instance} has no link, and the plan uses it",
    "NixlStripePlannedNicIdle": "{nic} of {instance} idles while the plan's others work",
    "NixlStripeShareOff": "{nic} of {instance} carries more than a fifth less than it is due",
    "NixlStripeNarrowPeer": (
        "{agent_name} of {instance} reaches a peer through fewer NICs than it has rails"
    ),
    "NixlStripeBlind": "Counters of {nic} of {instance} went away or stand still",
}
LABEL = {"NixlStripeNarrowPeer": "agent_name"}
SILENCE: tuple[Fires, ...] = tuple(
    (when, alert, ()) for alert in ALERTS for when in ("1m", "2m", "10m", "30m", "1h")
)
FAST = f"0+4500000000x{SCRAPES}"
DOUBLE = f"0+3000000000x{SCRAPES}"


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(host([IDLE] * 4), id="idle"),
        pytest.param(host([WORK] * 4), id="even work"),
        pytest.param(host([FAST, IDLE, IDLE, IDLE]), id="other traffic on one NIC alone"),
        pytest.param(host([FAST, WORK, WORK, WORK]), id="other traffic beside ours"),
        pytest.param(
            host(
                [DOUBLE, WORK, WORK, WORK],
                due_share={
                    nic: f"{0.4 if nic == 'mlx5_0' else 0.2}x{SCRAPES}" for nic in NICS
                },
            ),
            id="a NIC that is due more",
        ),
    ],
)  # fmt: skip
def test_an_hour_without_an_alert(tmp_path: Path, series: list[dict[str, str]]) -> None:
    fired(tmp_path, series, SILENCE)


def test_a_cut_nic_is_told_within_two_scrapes(tmp_path: Path) -> None:
    """The link goes after twenty scrapes, at five minutes, and the counter stands still."""
    stopped = "0+1500000000x20 30000000000x220"
    series = host([WORK, WORK, WORK, stopped], up={"mlx5_3": "1x19 0x220"})
    last = ("mlx5_3",)
    expected: list[Fires] = [
        ("4m45s", "NixlStripeNicLost", ()),
        ("5m", "NixlStripeNicLost", last),
        ("5m", "NixlStripePlannedNicIdle", ()),
        ("5m45s", "NixlStripePlannedNicIdle", last),
        ("6m", "NixlStripeShareOff", ()),
        ("12m", "NixlStripeShareOff", last),
    ]
    fired(tmp_path, series, expected)


def test_a_nic_at_half_of_its_due_is_told_after_five_minutes(tmp_path: Path) -> None:
    series = host([WORK, WORK, WORK, f"0+750000000x{SCRAPES}"])
    expected: list[Fires] = [
        ("4m", "NixlStripeShareOff", ()),
        ("7m", "NixlStripeShareOff", ("mlx5_3",)),
        ("7m", "NixlStripePlannedNicIdle", ()),
    ]
    fired(tmp_path, series, expected)


def test_counters_that_went_away(tmp_path: Path) -> None:
    series = host([WORK] * 4, trusted={"mlx5_1": "1x20 0x220"})
    expected: list[Fires] = [
        ("5m", "NixlStripeBlind", ()),
        ("7m", "NixlStripeBlind", ("mlx5_1",)),
    ]
    fired(tmp_path, series, expected)


def test_a_peer_without_stripe(tmp_path: Path) -> None:
    """Of two agents one reaches a peer through fewer NICs, from five minutes on."""
    name = 'nixl_stripe_agent_narrow_peers{{instance="a",agent_name="{}"}}'
    narrow = {"w0": f"0x{SCRAPES}", "w1": "0x20 1x220"}
    series = [{"series": name.format(who), "values": values} for who, values in narrow.items()]
    expected: list[Fires] = [
        ("9m", "NixlStripeNarrowPeer", ()),
        ("11m", "NixlStripeNarrowPeer", ("w1",)),
    ]
    fired(tmp_path, [*host([WORK] * 4), *series], expected)


def test_promtool_notices_what_did_not_fire_bad_flow(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="NixlStripePlannedNicIdle"):
        fired(tmp_path, host([WORK] * 4), [("5m", "NixlStripePlannedNicIdle", ("mlx5_0",))])
