# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The page of a run and its matrix, and what changed since an earlier run."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.errors import StripeError
from nixl_stripe.fleet import compare
from nixl_stripe.fleet.findings import findings
from nixl_stripe.fleet.heat import classes, picture
from nixl_stripe.fleet.model import Kind
from nixl_stripe.fleet.page import page
from nixl_stripe.fleet.report import text_of, to_dict
from nixl_stripe.fleet.schedule import all_pairs
from nixl_stripe.fleet.sweep import Plan, Result
from simulated_fleet import Fault, SimulatedFleet


def data_of(fleet: SimulatedFleet, rounds: int | None = None) -> dict[str, Any]:
    facts, every = fleet.facts(), all_pairs(fleet.hosts)[:rounds]
    done = fleet.run(every)
    plan = Plan(("WRITE",), 4 << 20)
    result = Result(plan, facts, len(every), done, findings(facts, done), 1.0)
    return json.loads(json.dumps(to_dict(result)))  # type: ignore[no-any-return]


FAULTS = (
    Fault(Kind.NIC_DOWN, ("h1",), (2,)),
    Fault(Kind.NIC_SLOW, ("h3",), (0,)),
    Fault(Kind.HOST_DEAD, ("h5",)),
)


def test_cells_by_what_was_seen() -> None:
    found = classes(data_of(SimulatedFleet(8, faults=FAULTS, noise=0.01)))
    assert len(found) == 8 * 7  # measured one way, shown both ways
    assert {found["h1", f"h{at}"] for at in (0, 2, 3, 4, 6, 7)} == {"failed"}
    assert {found[f"h{at}", "h5"] for at in range(8) if at != 5} == {"gone"}
    assert {found["h3", f"h{at}"] for at in (0, 2, 4, 6, 7)} <= {"slower", "slow"}
    assert found["h0", "h2"] == found["h2", "h0"]


def test_stock_hosts_are_not_called_silent() -> None:
    """They use two NICs, and that is their finding; their pairs carried all that they could."""
    fleet = SimulatedFleet(4, faults=[Fault(Kind.UNPATCHED, ("h2",))], noise=0.0)
    found = classes(data_of(fleet))
    assert "failed" not in found.values()


@pytest.mark.parametrize(("hosts", "rounds"), [(2, None), (8, None), (64, 20), (512, 8)])
def test_the_matrix_is_readable_and_small(hosts: int, rounds: int | None) -> None:
    text = picture(data_of(SimulatedFleet(hosts), rounds))
    root = ElementTree.fromstring(text)  # noqa: S314 - it was just made here
    names = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert ("h0" in names) == (hosts <= 64)
    assert len(re.findall("<path", text)) <= 5  # a browser draws few things, however many hosts
    assert len(text) < 40 * hosts * (rounds or hosts) + 100 * hosts + 10_000


def test_the_page_shows_findings_and_loads_nothing() -> None:
    data = data_of(SimulatedFleet(8, faults=FAULTS, noise=0.01))
    text = page(data)
    assert "<title>NIXL fleet: 3 finding(s) in 8 hosts</title>" in text
    assert "<td>nic_down</td><td>h1 rail2</td>" in text
    assert not re.search(r'(?:src|href)="|url\(|@import|fetch\(|https?://(?!www\.w3\.org)', text)
    embedded = re.search(r'id="run">(.*?)</script>', text)
    assert embedded is not None
    assert len(json.loads(embedded[1])["pairs"]) == len(data["pairs"])


def test_what_hosts_say_is_no_part_of_the_page_bad_flow() -> None:
    data = data_of(SimulatedFleet(4, faults=[Fault(Kind.UNPATCHED, ("h2",))]))
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    text = json.dumps(data).replace('"h2"', json.dumps(evil))
    text = text.replace('"error": ""', f'"error": {json.dumps(evil)}')
    made = page(json.loads(text))
    assert evil not in made
    assert "<img" not in made
    assert made.count("</script>") == 2
    ElementTree.fromstring(picture(json.loads(text)))  # noqa: S314 - it was just made here


def test_what_changed_since_an_earlier_run(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", SimulatedFleet(8, faults=FAULTS[1:2], noise=0.01, seed=1)
    before = data_of(SimulatedFleet(7, faults=FAULTS[:1], noise=0.01, seed=2))
    before["hosts"].append({"host": "h99"})
    old.write_text(json.dumps({"schema": 1, **before}))
    data = data_of(new)
    found = compare.changes(compare.read(old), data)
    assert found["new findings"] == ["nic_slow: h3 rail0"]
    assert found["findings gone"] == ["nic_down: h1 rail2"]
    assert (found["new hosts"], found["hosts gone"]) == (["h7"], ["h99"])
    assert found["slower pairs"]
    assert all("h3" in each for each in found["slower pairs"])
    text = text_of({**data, "changes": found})
    assert "\nnew findings: nic_slow: h3 rail0\n" in text
    assert "Since the run" in page({**data, "changes": found})
    assert compare.changes(data, data) == {name: [] for name in found}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("[]", "accepted is an object with hosts"),
        ('{"hosts": [], "findings": []}', "pairs is missing"),
        ('{"hosts": [], "findings": [], "pairs": [{"sender": 1}]}', "receiver is missing|sender"),
    ],
)
def test_a_file_that_is_no_run_is_named_bad_flow(
    tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "old.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(StripeError, match=rf"--compare .*old\.json: .*({words})"):
        compare.read(file)
