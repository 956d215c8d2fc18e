# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Writes `examples/prometheus/board.json`, the Grafana board, with Grafana's own builders.

    python tools/grafana_board.py

The panels are a table, so that the picture of the documents (`tools/board_picture.py`) asks
Prometheus what the board asks. Needs grafana-foundation-sdk (extra `test`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOARD = Path(__file__).parents[1] / "examples" / "prometheus" / "board.json"
#: Of Grafana: a window with at least four scrapes in it.
WINDOW = "$__rate_interval"
_HERE = 'instance=~"$instance"'


@dataclass(frozen=True)
class Panel:
    """One question to Prometheus. unit: Grafana's name of it. legend: of each line, by labels."""

    title: str
    text: str
    query: str
    legend: str
    unit: str = "short"
    as_table: bool = False


#: What tells series apart; of two scrape jobs for one host only one counts.
_KEYS = {
    "nixl_stripe_nic_bytes_total": "instance, nic, direction",
    "nixl_stripe_nic_bad_frames_total": "instance, nic, what",
    "nixl_stripe_agent_intended_bytes_total": "instance, agent_name, process, nic, direction",
    "nixl_stripe_agent_errors_total": "instance, agent_name, process",
}


def _rate(metric: str, by: str, more: str = "") -> str:
    once = f"max by ({_KEYS[metric]}) (rate({metric}{{{_HERE}{more}}}[{WINDOW}]))"
    return f"sum by ({by}) ({once})"


_NIC = "instance, nic"
_AGENT = "instance, agent_name, process"
_OUT, _IN = ', direction="out"', ', direction="in"'
_COUNTED, _INTENDED = "nixl_stripe_nic_bytes_total", "nixl_stripe_agent_intended_bytes_total"
_DUE = f"(max by ({_NIC}) (nixl_stripe_nic_due_share{{{_HERE}}}) > 0)"

PANELS = (
    Panel(
        "Out, by NIC",
        "What each NIC sent, as it counts: headers and other programs' traffic are in it.",
        f"8 * {_rate(_COUNTED, _NIC, _OUT)}",
        "{{nic}} {{instance}}",
        "bps",
    ),
    Panel(
        "In, by NIC",
        "What each NIC received, as it counts.",
        f"8 * {_rate(_COUNTED, _NIC, _IN)}",
        "{{nic}} {{instance}}",
        "bps",
    ),
    Panel(
        "Carried over due, by planned NIC",
        "1: the NIC carries its share of what the plan's NICs carry together.",
        f"({_rate(_COUNTED, _NIC)} / on ({_NIC}) {_DUE}) / on (instance) group_left () "
        f"sum by (instance) ({_rate(_COUNTED, _NIC)} and on ({_NIC}) {_DUE})",
        "{{nic}} {{instance}}",
    ),
    Panel(
        "Planned NICs without a link",
        "0 on a healthy host.",
        f"sum by (instance) (max by ({_NIC}) (nixl_stripe_nic_planned{{{_HERE}}}) "
        f"* on ({_NIC}) (1 - max by ({_NIC}) (nixl_stripe_nic_up{{{_HERE}}})))",
        "{{instance}}",
    ),
    Panel(
        "Handed to UCX, by agent and NIC",
        "Intended, not counted: how the plugin expects UCX to divide each operation.",
        f"8 * {_rate(_INTENDED, f'{_AGENT}, nic')}",
        "{{agent_name}} {{nic}} {{process}} {{instance}}",
        "bps",
    ),
    Panel(
        "Sent by agents over sent by the NIC",
        "Near 1: the NIC carries the agents' traffic alone. Less: others use it too.",
        f"{_rate(_INTENDED, _NIC, _OUT)} / on ({_NIC}) ({_rate(_COUNTED, _NIC, _OUT)} > 1e6)",
        "{{nic}} {{instance}}",
    ),
    Panel(
        "Errors of agents, a second",
        "Operations that UCX refused, and flushes that failed.",
        _rate("nixl_stripe_agent_errors_total", _AGENT),
        "{{agent_name}} {{process}} {{instance}}",
    ),
    Panel(
        "Peers with fewer NICs than rails",
        "Connections of an agent that do not use all of its plan.",
        f"max by ({_AGENT}) (nixl_stripe_agent_narrow_peers{{{_HERE}}})",
        "{{agent_name}} {{process}} {{instance}}",
    ),
    Panel(
        "Bad or dropped frames, a second",
        "",
        _rate("nixl_stripe_nic_bad_frames_total", _NIC),
        "{{nic}} {{instance}}",
    ),
    Panel(
        "UCX settings in force",
        "",
        f"nixl_stripe_agent_ucx_setting_info{{{_HERE}}}",
        "",
        as_table=True,
    ),
)


def build() -> dict[str, Any]:
    """Return the board as plain data."""
    from grafana_foundation_sdk.builders import common, dashboard, prometheus, table, timeseries
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.common import TooltipDisplayMode
    from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh
    from grafana_foundation_sdk.models.prometheus import PromQueryFormat

    source = DataSourceRef(type_val="prometheus", uid="${source}")
    made = (
        dashboard.Dashboard("NIXL over every NIC")
        .uid("nixl-stripe")
        .description("What nixl-stripe export says of a host's NICs, its plan and its agents.")
        .tags(["nixl", "rdma"])
        .refresh("15s")
        .time("now-30m", "now")
        .with_variable(dashboard.DatasourceVariable("source").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("instance")
            .datasource(source)
            .query("label_values(nixl_stripe_nic_up, instance)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
        )
    )
    for panel in PANELS:
        target = prometheus.Dataquery().expr(panel.query).legend_format(panel.legend).ref_id("A")
        one: Any
        if panel.as_table:
            target = target.instant().format(PromQueryFormat.TABLE)
            one = table.Panel().show_header(True)
        else:
            tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode("multi"))
            one = timeseries.Panel().unit(panel.unit).min(0).fill_opacity(10).tooltip(tooltip)
        one = one.title(panel.title).description(panel.text).datasource(source)
        made.with_panel(one.span(12).height(8).with_target(target))
    plain: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    return plain


def text() -> str:
    """Return the board's file."""
    return json.dumps(build(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    BOARD.write_text(text(), "utf-8")
