# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark between two hosts, here the two ends of the rails."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from nixl_stripe.lab import Rails
from nixl_stripe.lab.job import Role

pytestmark = pytest.mark.rails

TARGET = "10.77.0.2"
VARIABLE = "NIXL_STRIPE_TOKEN=a-token-of-the-tests-0123456789"
MAIN = "import sys; from nixl_stripe.cli import main; sys.exit(main())"
FEW = ["--rounds", "1", "--num-iter", "1", "--max-block-size", "1000000", "--json"]


def programs(
    site: Path, target: list[str], initiator: list[str], variables: dict[str, list[str]]
) -> dict[Role, list[str]]:
    """Return the command at each end, with the NIXL in `site` as the installed one."""
    kept = [f"{k}={v}" for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))]
    base = ["env", "-i", *kept, f"PYTHONPATH={site}", "UCX_TLS=tcp", "UCX_MODULES=^ib", VARIABLE]
    tool = [sys.executable, "-c", MAIN, "bench", "rails", *FEW]
    return {
        "target": [*base, *variables.get("target", []), *tool, *target],
        "initiator": [*base, *variables.get("initiator", []), *tool, *initiator],
    }


def result(output: str) -> dict[str, object]:
    start = output.index("{\n")
    found: dict[str, object] = json.loads(output[start:])
    return found


def test_listen_and_connect(rails: Rails, striped: Path) -> None:
    commands = programs(
        striped, ["--listen", f"{TARGET}:18600"], ["--connect", f"{TARGET}:18600"], {}
    )
    ended = rails.run_programs(commands, limit_s=100)
    assert ended["initiator"].status == 0, ended["initiator"].output
    assert ended["target"].status == 0, ended["target"].output
    assert '"cases": 5}' in ended["target"].output
    done = result(ended["initiator"].output)
    rows = done["rows"]
    assert isinstance(rows, list)
    assert list(rows[-1]["share"]) == list(rails.devices)
    assert list(rows[-1]["share"].values()) == pytest.approx([0.25] * 4, abs=0.02)
    assert list(rows[0]["share"].values())[-1] < 0.02


def test_roles_by_rank_and_an_unpatched_nixl_bad_flow(rails: Rails, stock: Path) -> None:
    world = ["WORLD_SIZE=2", f"MASTER_ADDR={TARGET}", "MASTER_PORT=18610"]
    commands = programs(
        stock,
        ["--ranks"],
        ["--ranks"],
        {"target": ["RANK=0", *world], "initiator": ["RANK=1", *world]},
    )
    ended = rails.run_programs(commands, limit_s=100)
    assert ended["initiator"].status == 1
    last = ended["initiator"].output.strip().splitlines()[-1]
    assert "is not patched and would ignore stripe; run: nixl-stripe patch" in last
    assert ended["target"].status == 0
