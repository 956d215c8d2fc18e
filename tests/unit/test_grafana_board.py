# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The Grafana board: as its program writes it, by Grafana's model, and of metrics that exist."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import grafana_board
import pytest
from agent_texts import agent_text
from counter_trees import tree_of
from nixl_stripe.planning.planner import load, plan
from nixl_stripe.proof.agent_metrics import AgentCollector
from nixl_stripe.proof.metrics import Expected, NicCollector
from nixl_stripe.proof.text_file import TextFile
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from prometheus_programs import promtool

FOLDER = Path(__file__).parents[2] / "examples" / "prometheus"
BOARD = (FOLDER / "board.json").read_text("utf-8")
needs_sdk = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="grafana-foundation-sdk needs Python 3.11"
)
METRIC = re.compile(r"\bnixl_stripe_[a-z0-9_]+")
LABELS = re.compile(r"\b(?:by|on) \(([a-z_, ]+)\)|\{\{(\w+)\}\}")


@pytest.fixture
def exported(tmp_path: Path) -> dict[str, set[str]]:
    """Every sample that `export` has, by name, with its labels."""
    tree = tree_of(tmp_path / "tree", "gb200")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "a.prom").write_text(agent_text())
    registry = CollectorRegistry()
    expected = Expected(nics=4)
    registry.register(
        NicCollector(lambda: plan("all", None, load(tree.root)), None, tree.root, expected)
    )
    registry.register(AgentCollector(tmp_path / "agents"))
    made = {
        sample.name: set(sample.labels)
        for family in registry.collect()
        for sample in family.samples
    }
    file = tmp_path / "x.prom"
    assert TextFile(file, CollectorRegistry(), 15).write() == ""
    for family in text_string_to_metric_families(file.read_text()):
        made[family.name] = set()
    return made


def board_queries() -> list[str]:
    return [target["expr"] for panel in json.loads(BOARD)["panels"] for target in panel["targets"]]


@needs_sdk
def test_the_file_is_what_the_program_writes() -> None:
    assert grafana_board.text() == BOARD, "run python tools/grafana_board.py"


def read_by_grafanas_model(given: dict[str, Any]) -> Any:
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    return json.loads(json.dumps(Dashboard.from_json(given), cls=JSONEncoder))


@needs_sdk
def test_grafanas_model_reads_it_and_loses_nothing() -> None:
    given = json.loads(BOARD)
    assert read_by_grafanas_model(given) == given
    titles = [panel["title"] for panel in given["panels"]]
    assert titles == [panel.title for panel in grafana_board.PANELS]


@needs_sdk
def test_what_the_model_does_not_know_is_lost_bad_flow() -> None:
    given = json.loads(BOARD)
    given["panelz"] = given.pop("panels")
    assert read_by_grafanas_model(given) != given


def test_panels_do_not_overlap() -> None:
    places: set[tuple[int, int]] = set()
    for panel in json.loads(BOARD)["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & places, panel["title"]
        places |= cells


def unknown(queries: list[str], exported: dict[str, set[str]]) -> set[str]:
    """Return names that neither a sample nor a recording rule has."""
    recorded = {"nixl_stripe"}
    return {name for query in queries for name in METRIC.findall(query)} - set(exported) - recorded


def test_every_metric_of_board_and_rules_is_exported(exported: dict[str, set[str]]) -> None:
    rules = re.sub(r"#.*", "", (FOLDER / "rules.yml").read_text("utf-8"))
    rules = re.sub(r"nixl_stripe:\w+:\w+", "", rules)
    queries = board_queries()
    assert len(queries) == len(grafana_board.PANELS)
    assert unknown([*queries, rules], exported) == set()
    assert unknown(["rate(nixl_stripe_nic_byte_total[1m])"], exported)


def test_every_label_of_a_query_is_there(exported: dict[str, set[str]]) -> None:
    for panel in grafana_board.PANELS:
        of_metrics = {"instance"}.union(*(exported[name] for name in METRIC.findall(panel.query)))
        for group, one in LABELS.findall(f"{panel.query} {panel.legend}"):
            assert set((group or one).split(", ")) <= of_metrics, panel.title


@pytest.mark.parametrize("panel", grafana_board.PANELS, ids=lambda panel: panel.title)
def test_prometheus_reads_the_query(panel: Any, tmp_path: Path) -> None:
    query = panel.query.replace("$__rate_interval", "1m").replace("$instance", ".*")
    rule = {"record": "x", "expr": query}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "x", "rules": [rule]}]}))
    promtool(tmp_path, "check", "rules", "rules.yml")
