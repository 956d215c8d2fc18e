# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves: JSON, text and JUnit; and facts that are compared before any byte moves."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from fake_hall import FakeHall, healthy
from nixl_stripe.cli import main
from nixl_stripe.errors import UsageError
from nixl_stripe.fleet.facts import limits
from nixl_stripe.fleet.hall import Message
from nixl_stripe.fleet.model import HostFacts, Kind
from nixl_stripe.fleet.outliers import outliers
from nixl_stripe.fleet.outputs import Outputs, as_junit
from nixl_stripe.fleet.report import text_of, to_dict
from nixl_stripe.fleet.run import Wish
from nixl_stripe.fleet.sweep import Plan, Result, sweep

NICS = tuple(f"rail{at}" for at in range(4))
GOOD = HostFacts("h", NICS, rails=4, alike={"NIXL": "1.5.1", "subnets of NIC 1": "10.0.0.0/24"})


def fleet(count: int = 4) -> list[HostFacts]:
    return [replace(GOOD, host=f"h{number}") for number in range(count)]


def result(facts: list[HostFacts], absent: tuple[str, ...] = ()) -> Result:
    def card(host: str) -> Message:
        return {"of": host}

    by_host = {each.host: each for each in facts}
    hall = FakeHall(healthy())
    return sweep(hall, by_host, card, Plan(("WRITE",), 4 << 20, 1.0), print, absent)


def test_a_healthy_fleet_as_data_and_text() -> None:
    data = to_dict(result(fleet()))
    assert json.loads(json.dumps(data)) == data
    assert (data["ok"], data["findings"], data["rounds"], len(data["pairs"])) == (True, [], 3, 6)
    assert data["pairs"][0]["sent"] == dict.fromkeys(NICS, 1 << 20)
    text = text_of(data)
    assert text.startswith("healthy: 4 hosts, nothing found\n4 hosts, 3 rounds, 6 transfers, 6 of")
    assert "median 0.336, least 0.336" in text


def test_findings_as_data_text_and_junit_bad_flow() -> None:
    facts = fleet()
    facts[2] = replace(facts[2], patched=False, rails=2)
    data = to_dict(result(facts, absent=("rank 9",)))
    assert [each["kind"] for each in data["findings"]] == ["host_dead", "unpatched"]
    assert set(data["findings"][1]) >= {"kind", "culprit", "evidence", "fix"}
    text = text_of(data)
    assert "1 host_dead, 1 unpatched" in text
    assert "unpatched: h2\n" in text
    assert "fix: on that host: nixl-stripe patch" in text
    suite = ElementTree.fromstring(as_junit(data))  # noqa: S314 - ours
    assert (suite.get("tests"), suite.get("failures")) == ("5", "2")
    failed = [each.get("name") for each in suite if each.find("failure") is not None]
    assert failed == ["h2", "rank 9"]


def test_junit_holds_what_xml_cannot() -> None:
    facts = fleet()
    facts[1] = replace(facts[1], alike={**facts[1].alike, "NIXL": "\x1b[31m"})
    text = as_junit(to_dict(result(facts)))
    assert "\x1b" not in text
    ElementTree.fromstring(text)  # noqa: S314 - ours


def test_junit_is_written_and_a_place_that_is_none_said_before_bad_flow(tmp_path: Path) -> None:
    file = tmp_path / "fleet.xml"
    Outputs(file).require_writable()
    Outputs(file).write(to_dict(result(fleet())))
    assert ElementTree.parse(file).getroot().get("failures") == "0"  # noqa: S314 - ours
    with pytest.raises(UsageError, match=r"--junit .*: there is no folder"):
        Outputs(tmp_path / "no" / "fleet.xml").require_writable()


def test_a_nic_without_a_link_is_no_other_rail_count() -> None:
    facts = fleet()
    facts[1] = replace(facts[1], nics=NICS[:3], rails=3, down=("rail3",))
    (only,) = outliers(facts)
    assert (only.kind, only.culprit) == (Kind.NIC_DOWN, "h1 rail3")
    (only,) = outliers([facts[0], replace(facts[1], down=()), *facts[2:]])
    assert (only.kind, only.culprit) == (Kind.OTHER_RAILS, "h1")


def test_a_nic_without_a_link_that_nobody_uses_is_no_finding() -> None:
    assert outliers([replace(each, down=("eth9",)) for each in fleet()]) == []


def test_a_routed_fleet_has_subnets_of_its_own() -> None:
    """Every host, or every rack, may have its own: only most of all hosts accuse one."""

    def of(host: HostFacts, subnet: str) -> HostFacts:
        return replace(host, alike={**host.alike, "subnets of NIC 1": subnet})

    facts = fleet(6)
    assert outliers([of(each, f"10.0.{at}.0/24") for at, each in enumerate(facts)]) == []
    assert outliers([of(each, f"10.0.{at // 2}.0/24") for at, each in enumerate(facts)]) == []
    (only,) = outliers([of(facts[0], "10.9.0.0/24"), *facts[1:]])
    assert (only.kind, only.culprit) == (Kind.OTHER_VERSION, "h0")
    assert "subnets of NIC 1: 10.9.0.0/24, where 5 of 6 have 10.0.0.0/24" in only.evidence


def test_a_variable_that_one_host_has_is_named() -> None:
    facts = fleet()
    facts[3] = replace(facts[3], alike={**facts[3].alike, "UCX_TLS": "tcp"})
    (only,) = outliers(facts)
    assert only.evidence == "UCX_TLS: tcp, where 3 of 4 have (not set)"


def test_a_table_of_neighbours_that_is_too_small_for_the_fleet() -> None:
    facts = [replace(each, limits={"neighbours": 1024, "nics": 4}) for each in fleet()]
    assert outliers(facts, hosts=257) == []
    found = outliers(facts, hosts=258)
    assert [each.kind for each in found] == [Kind.LIMIT] * 4
    assert "258 hosts of 4 NIC(s) need 1028" in found[0].evidence


def test_limits_of_this_host(tmp_path: Path) -> None:
    assert limits(2, tmp_path)["nics"] == 2
    assert "neighbours" not in limits(2, tmp_path)
    file = tmp_path / "sys/net/ipv4/neigh/default/gc_thresh3"
    file.parent.mkdir(parents=True)
    file.write_text("1024\n")
    assert limits(2, tmp_path)["neighbours"] == 1024


def test_which_operations_and_rounds_a_run_takes() -> None:
    tcp = [replace(each, alike={"transport": "TCP"}) for each in fleet()]
    wish = Wish(None, 4096, "dram", {})
    assert wish.plan(fleet()).ops == ("READ", "WRITE")
    assert wish.plan(tcp).ops == ("WRITE",)
    assert replace(wish, ops=("READ",)).plan(tcp).ops == ("READ",)
    assert wish.plan(tcp).rounds is None
    assert replace(wish, culprits=3).plan(fleet(1000)).rounds == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--rank, --ranks and --hub: say all three"),
        (["--rank", "0", "--ranks", "2", "--hub", "a:b"], "--hub 'a:b'"),
        (["--rank", "5", "--ranks", "2", "--hub", "a"], "--rank 5: accepted are 0 to 1"),
        (["--rank", "0", "--ranks", "2", "--hub", "a"], "no token: give every rank the same one"),
        (["--rank", "0", "--ranks", "2", "--hub", "a", "--timeout", "0"], "--timeout 0"),
        (["--rank", "0", "--ranks", "2", "--hub", "a", "--timeout", "1e9"], "at most 3600 s"),
    ],
)
def test_the_command_says_what_is_missing_bad_flow(
    options: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("RANK", "SLURM_PROCID", "JOB_COMPLETION_INDEX", "NIXL_STRIPE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert main(["fleet", *options]) == 2
    assert words in capsys.readouterr().err
