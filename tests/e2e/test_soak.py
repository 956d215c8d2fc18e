# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents that come and go leave no more behind with ours than with stock: `scripts/soak` in short.

Judged by counts. A short run tells leaks of half a MiB a cycle from what memory does anyway, a long
one finer ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.versions import NEWEST
from soak import beds
from soak.__main__ import WORKER, Length, Sites, run_side
from soak.growth import ALLOWED, faults
from soak.worker import BYTES

pytestmark = [pytest.mark.rails, pytest.mark.timeout(600)]

#: Cycles of each side; nothing here depends on how long they take.
LENGTH = Length(seconds=0, least=18)
#: Batches to each peer, fewer than in a long soak: agents that come and go are what is asked.
REQUESTS = 4
SHORT = {**ALLOWED, "rss_kib": 512.0}
#: The worker, with memory, a file and a thread kept from each of its cycles.
LEAKING = """
import sys
sys.path.insert(0, {folder!r})
import worker

kept, well = [], worker.meet_and_part

def badly(job, number):
    kept.append((bytearray(b"x") * (4 << 20), open("/dev/null")))
    worker.threading.Thread(target=worker.time.sleep, args=(3600,), daemon=True).start()
    return well(job, number)

worker.meet_and_part = badly
worker.main(*sys.argv[1:])
"""


@pytest.fixture(scope="module")
def ground(needs_rails: None) -> Iterator[beds.Ground]:
    with beds.tcp(4) as made:
        yield dataclasses.replace(made, requests=REQUESTS)


@pytest.fixture(scope="module")
def sites(stock: Path, striped: Path) -> Sites:
    return Sites(stock, striped, "nixl_cu12", f"nixl-cu12=={NEWEST}")


@pytest.fixture(scope="module")
def stock_row(ground: beds.Ground, sites: Sites) -> dict[str, Any]:
    return run_side(ground, "stock", sites, LENGTH)


@pytest.mark.parametrize("side", ["ours", "ours, 64 rails"])
def test_ours_leaves_no_more_behind_than_stock(
    ground: beds.Ground, sites: Sites, stock_row: dict[str, Any], side: str
) -> None:
    row = run_side(ground, side, sites, LENGTH)
    assert faults([stock_row, row], SHORT) == []
    assert row["cycles"] == LENGTH.least
    assert row["descriptors"] == stock_row["descriptors"]
    # Each rail had its part of every whole buffer, where stock takes two: it was ours that came.
    part = LENGTH.least // ground.rude * BYTES / len(ground.devices)
    assert min(row["sent_bytes"]) > 0.8 * part
    assert min(stock_row["sent_bytes"]) < 0.1 * part


def test_a_worker_that_leaks_is_found_bad_flow(
    ground: beds.Ground, sites: Sites, stock_row: dict[str, Any], tmp_path: Path
) -> None:
    leaking = tmp_path / "leaking.py"
    leaking.write_text(LEAKING.format(folder=str(WORKER.parent)))
    row = run_side(ground, "ours", sites, LENGTH, worker=leaking)
    found = [text.split(" grow by")[0] for text in faults([stock_row, row], SHORT)]
    assert found == ["ours: rss_kib", "ours: fds", "ours: threads"]
