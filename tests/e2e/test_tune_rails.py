# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""One rail of a quarter of the rate: `all` loses, and `best` takes the others once it was told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nixl_stripe.lab import Outcome, Rails
from nixl_stripe.lab.job import Role

pytestmark = pytest.mark.rails

TARGET = "10.77.0.2:18640"
VARIABLE = "NIXL_STRIPE_TOKEN=a-token-of-the-tests-0123456789"
MAIN = "import sys; from nixl_stripe.cli import main; sys.exit(main())"
SIZE = 12 << 20


@pytest.fixture(scope="module")
def slow_one(needs_rails: None) -> Iterator[Rails]:
    with Rails(count=3, mbit=160) as made:
        made.set_limit("rail2", 40)
        yield made


@pytest.fixture(scope="module")
def tuned(slow_one: Rails, striped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The calibration of the rails."""
    place = tmp_path_factory.mktemp("tune") / "calibration"
    kept = [f"{k}={v}" for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))]
    base = ["env", "-i", *kept, f"PYTHONPATH={striped}", "UCX_TLS=tcp", "UCX_MODULES=^ib", VARIABLE]
    tool = [*base, sys.executable, "-c", MAIN, "tune", "--json"]
    commands: dict[Role, list[str]] = {
        "target": [*tool, "--listen", TARGET],
        "initiator": [*tool, "--connect", TARGET, "--budget", "9", "--out", str(place)],
    }
    ended = slow_one.run_programs(commands, limit_s=150)
    assert ended["initiator"].status == 0, ended["initiator"].output
    output = ended["initiator"].output
    done = json.loads(output[output.index("{\n") :])
    assert done["sets"]["host"]["devices"] == ["rail0", "rail1"]
    assert len([row for row in done["measured"] if len(row["devices"]) == 1]) == 3
    assert done["measurements"] <= 9
    return place


def moved(bed: Rails, striped: Path, params: dict[str, str]) -> Outcome:
    done = bed.transfer(sizes=[SIZE], backend_params=params, nixl=striped)
    return done.require()


def test_best_takes_the_others(slow_one: Rails, striped: Path, tuned: Path) -> None:
    every = moved(slow_one, striped, {"stripe": "all"})
    best = moved(slow_one, striped, {"stripe": "best", "stripe_calibration": str(tuned)})
    assert every.rails_used == 3
    assert best.rails_used == 2
    # 3 x 40 against 2 x 160 Mbit/s: 2.67 times as fast.
    assert best.gbps > 1.8 * every.gbps


def test_without_the_calibration_it_takes_all_bad_flow(slow_one: Rails, striped: Path) -> None:
    best = moved(slow_one, striped, {"stripe": "best", "stripe_calibration": "off"})
    assert best.rails_used == 3
