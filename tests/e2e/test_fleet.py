# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A fleet in network namespaces: faults that are injected are named, and nobody else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.rails

TOOLS = Path(__file__).parents[2] / "tools"


def program(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": str(TOOLS)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_faults_are_named_and_a_healthy_fleet_has_none(
    needs_rails: None, striped: Path, stock: Path
) -> None:
    """One fleet for all: its members live on from fault to fault. scripts/fleet-faults has more."""
    kinds = ["swapped_cables", "route"]
    options = ["--hosts", "4", "--faults", "2", "--seed", "2", "--kinds", *kinds]
    done = program("fleet_bed", *options, "--nixl", striped, stock)
    *rows, tally = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (rows, done.stderr)
    assert [each["rounds"] for each in rows] == [3] * 3
    assert rows[0]["injected"] == rows[0]["found"] == []
    for kind, each in zip(kinds, rows[1:], strict=True):
        assert each["found"] == each["injected"], each
        assert each["found"][0][0] == kind
    assert (tally["precision"], tally["recall"]) == (1.0, 1.0)


def test_the_command_on_hosts_that_torchrun_started_names_an_unpatched_one_bad_flow(
    needs_rails: None, striped: Path, stock: Path
) -> None:
    options = ["--engine", "torchrun", "--hosts", "3"]
    done = program("fleet_bed.engines", *options, "--striped", striped, "--stock", stock)
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    assert shown["statuses"] == [1, 1, 1], shown["errors"]
    result = json.loads(shown["output"])
    assert result["schema"] == 1
    assert [(each["kind"], each["hosts"]) for each in result["findings"]] == [("unpatched", ["h2"])]
    pairs = {(each["sender"], each["receiver"]): each for each in result["pairs"]}
    assert len(pairs) == 3
    assert all(each["ok"] for each in pairs.values())  # an unpatched host moves right bytes too
    (good,) = (each for hosts, each in pairs.items() if "h2" not in hosts)
    for end in ("sent", "received"):
        total = sum(good[end].values())
        shares = [part / total for part in good[end].values()]
        assert shares == pytest.approx([0.25] * 4, abs=0.03)
    assert "before any byte: unpatched: h2" in shown["errors"][0]
