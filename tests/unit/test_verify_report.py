# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A verification to hand on: page, JSON and JUnit, good and bad, and what a page may not do."""

from __future__ import annotations

import dataclasses
import json
import socket
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from nixl_stripe.cli import main
from nixl_stripe.errors import StripeError, UsageError
from nixl_stripe.lab.outcome import SideReport
from nixl_stripe.verify import OpResult, Report, TwoProcesses
from nixl_stripe.verify.messages import TO_CONNECTOR, TO_LISTENER, told
from nixl_stripe.verify.report import format_of, reported, write
from nixl_stripe.verify.report_picture import picture
from nixl_stripe.verify.result import Cause, Figures, Proof
from nixl_stripe.versions import JSON_SCHEMA

NICS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3")
MIB = 1 << 20
#: NVSentinel's message HealthEvent, by the names of proto3's JSON.
HEALTH_EVENT: dict[str, type] = {
    "version": int,
    "agent": str,
    "componentClass": str,
    "checkName": str,
    "isFatal": bool,
    "isHealthy": bool,
    "message": str,
    "recommendedAction": str,
    "errorCode": list,
    "entitiesImpacted": list,
    "metadata": dict,
    "generatedTimestamp": str,
    "nodeName": str,
    "processingStrategy": str,
}


def result(*share: float, **more: Any) -> OpResult:
    rows = dict(zip(NICS, share, strict=True))
    figures = Figures(
        lanes=rows,
        bytes={name: round(part * 64 * MIB) for name, part in rows.items()},
        share=rows,
        gbps=2.9,
        verified=True,
        source={name: {"name": "sysfs", "kind": "counted"} for name in NICS},
    )
    short = tuple(name for name, part in rows.items() if part < 0.125)
    return OpResult(
        op="WRITE",
        memory="dram",
        size=64 * MIB,
        buffers=1,
        repeats=3,
        planned=NICS,
        due=dict.fromkeys(NICS, 0.25),
        figures=figures,
        proof="bytes",
        short=short,
        nixl_version="1.5.1",
        ucx_version="1.23.0",
        ucx_settings={"MAX_RMA_RAILS": "4"},
        **more,
    )


GOOD = Report("over a bed", (result(0.25, 0.25, 0.25, 0.25, stock=Figures(gbps=1.45)),))
BAD = Report(
    "over a bed",
    (result(0.5, 0.5, 0.0, 0.0, causes=(Cause("the plugin is stock", "nixl-stripe patch"),)),),
    ("a note",),
)


class Page(HTMLParser):
    """Texts and whatever could reach beyond the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.outside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in ("script", "link", "iframe", "img", "a") or names & {"src", "href", "onload"}:
            self.outside.append(tag)
        if tag not in ("meta", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def written(report: Report, file: Path) -> str:
    write(file, report.to_dict())
    return file.read_text(encoding="utf-8")


def test_the_page_says_the_verdict_first(tmp_path: Path) -> None:
    text = written(GOOD, tmp_path / "r.html")
    page = Page(text)
    assert page.open == []
    assert page.outside == []
    assert page.text.startswith(
        "NIXL stripe: passed Passed WRITE: 4 of 4 planned NICs carried their share, 2.9 Gbit/s, "
        "2.00 times what NIXL does without nixl-stripe"
    )
    versions = ("1.5.1", "UCX 1.23.0")
    for words in (
        "sysfs, counted",
        "16.0 MiB",
        "settings of the plan: MAX_RMA_RAILS=4",
        *versions,
        "over a bed",
    ):
        assert words in page.text
    assert "@import" not in text
    assert "url(" not in text


def test_the_page_says_why_not_and_what_to_do_bad_flow(tmp_path: Path) -> None:
    page = Page(written(BAD, tmp_path / "r.html"))
    assert page.text.startswith("NIXL stripe: failed Failed WRITE: 2 of 4 planned NICs")
    assert "less than half of its share on mlx5_2, mlx5_3" in page.text
    assert written(BAD, tmp_path / "r.html").count('<span class="bad">0.0%</span>') == 2
    assert "Likely cause: the plugin is stock To fix it: nixl-stripe patch" in page.text
    assert "a note" in page.text


def test_what_the_other_host_says_is_text_only_bad_flow(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'\x1b[2J\x00"
    one = dataclasses.replace(result(0.5, 0.5, 0, 0), causes=(Cause(evil, evil),))
    figures = dataclasses.replace(one.figures, error=evil)
    report = Report(evil, (dataclasses.replace(one, figures=figures),), (evil,))
    assert Page(written(report, tmp_path / "r.html")).outside == []
    tree = ElementTree.fromstring(written(report, tmp_path / "r.junit.xml"))  # noqa: S314 - it was just written here
    assert tree.find("testcase/failure") is not None


def test_junit_counts_failures(tmp_path: Path) -> None:
    both = Report("over a bed", (*GOOD.results, *BAD.results))
    suite = ElementTree.fromstring(written(both, tmp_path / "r.junit.xml"))  # noqa: S314 - it was just written here
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "1")
    first, second = suite.findall("testcase")
    assert first.find("failure") is None
    failure = second.find("failure")
    assert failure is not None
    assert failure.get("message") == "less than half of its share on mlx5_2, mlx5_3"
    assert "fix: nixl-stripe patch" in (failure.text or "")


def test_json_is_that_of_the_command_with_the_circumstances(tmp_path: Path) -> None:
    found = json.loads(written(BAD, tmp_path / "r.json"))
    assert found.pop("circumstances")["NIXL"] == "1.5.1"
    assert found.pop("schema") == JSON_SCHEMA
    assert found == json.loads(json.dumps(BAD.to_dict()))


def alone(proof: Proof = "bytes", planned: tuple[str, ...] = NICS[:1]) -> Report:
    one = dataclasses.replace(result(0.25, 0.25, 0.25, 0.25), planned=planned, proof=proof)
    return Report("on this host", (dataclasses.replace(one, stock=Figures(gbps=1.0)),))


def test_a_success_that_proves_little_does_not_look_like_one_bad_flow(tmp_path: Path) -> None:
    """One NIC, or no byte counted: said where the verdict stands, and nothing compared with."""
    page = Page(written(alone(), tmp_path / "r.html"))
    assert page.text.startswith("NIXL stripe: nothing proven Nothing proven one NIC is planned")
    assert "times what NIXL does" not in page.text
    page = Page(written(alone("lanes", NICS), tmp_path / "r.html"))
    assert "Passed by UCX's report, no byte counted judged by UCX's lanes alone" in page.text
    assert "times what NIXL does" not in page.text
    suite = ElementTree.fromstring(written(alone(), tmp_path / "r.junit.xml"))  # noqa: S314 - it was just written here
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("1", "0", "1")
    assert suite.find("testcase/skipped") is not None


def test_nics_that_are_not_planned_stand_on_the_page(tmp_path: Path) -> None:
    one = result(0.25, 0.25, 0.25, 0.25, excluded={"mlx5_4": "it is down"}, ceiling_gbps=3.2)
    page = Page(written(Report("x", (one,)), tmp_path / "r.html"))
    assert "carried their share, 1 not planned, 2.9 Gbit/s of at most 3.2" in page.text
    assert "mlx5_4 is not planned: it is down" in page.text


def test_fewer_nics_than_expected_are_a_failure_bad_flow(tmp_path: Path) -> None:
    good, bad = (result(0.25, 0.25, 0.25, 0.25, expected_nics=n) for n in (4, 8))
    assert good.ok
    assert not bad.ok
    assert "4 NIC(s) are planned, 8 are expected" in bad.describe()
    assert "4 NIC(s) are planned" in Page(written(Report("x", (bad,)), tmp_path / "r.html")).text


def fail_in(file: Path) -> None:
    with reported(file):
        assert not file.exists()
        raise StripeError("no route to host")


def test_what_does_not_run_leaves_no_older_report_bad_flow(tmp_path: Path) -> None:
    for name in ("r.html", "r.json", "r.junit.xml", "r.nvsentinel.json"):
        file = tmp_path / name
        write(file, GOOD.to_dict())
        with pytest.raises(StripeError, match="no route"):
            fail_in(file)
        assert "no route to host" in file.read_text()
    suite = ElementTree.fromstring((tmp_path / "r.junit.xml").read_text())  # noqa: S314 - it was just written here
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert Page((tmp_path / "r.html").read_text()).text.startswith("NIXL stripe: not run Not run")
    with reported(None):
        pass


def test_an_empty_report_is_not_green_bad_flow(tmp_path: Path) -> None:
    suite = ElementTree.fromstring(written(Report("x", ()), tmp_path / "r.junit.xml"))  # noqa: S314 - it was just written here
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


@pytest.mark.parametrize("odd", ["\ufffe", "\ud800", "\x00", "\uffff"])
def test_odd_characters_are_no_obstacle_bad_flow(tmp_path: Path, odd: str) -> None:
    report = Report(f"x{odd}", BAD.results, (odd,))
    ElementTree.fromstring(written(report, tmp_path / "r.junit.xml"))  # noqa: S314 - it was just written here
    written(report, tmp_path / "r.html")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["report", "r.pdf", ".html", "r.xml"])
def test_names_that_say_no_format_bad_flow(tmp_path: Path, name: str) -> None:
    endings = r"accepted are FILE\.html, FILE\.nvsentinel\.json, FILE\.json, FILE\.junit\.xml"
    with pytest.raises(UsageError, match=endings):
        format_of(tmp_path / name)


def test_a_slip_is_noticed_before_the_transfer_bad_flow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--bed", "tcp", "--report", "/nowhere/r.html"]) == 2
    assert capsys.readouterr().err.strip() == (
        "nixl-stripe: --report /nowhere/r.html: there is no folder /nowhere"
    )


def test_without_nixl_no_older_report_is_left_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.html"
    write(file, GOOD.to_dict())
    assert main(["verify", "--nixl", "nixl_absent", "--report", str(file)]) == 1
    why = capsys.readouterr().err.strip().removeprefix("nixl-stripe: ")
    assert why.startswith("verify needs NIXL: no nixl_absent")
    assert f"Not run {why}" in Page(file.read_text("utf-8")).text


@pytest.mark.parametrize("where", [("--bed", "tcp"), ("--listen",)])
def test_no_event_blames_this_node_for_other_nics_bad_flow(
    where: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *where, "--report", str(tmp_path / "r.nvsentinel.json")]) == 2
    assert "the events name this node, and the NICs are" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_written_leaves_no_half_bad_flow(tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    with pytest.raises(StripeError, match=r"--report .*r\.html: "):
        write(tmp_path / "r.html", GOOD.to_dict())
    assert [each.name for each in tmp_path.iterdir()] == ["r.html"]


def test_a_blind_pods_reasons_pass_to_the_other_host() -> None:
    """They name every source that was looked for, and so are long."""
    reasons = {name: f"NIC {name}: " + "a source; " * 200 for name in NICS}
    sources = {name: {"name": "sysfs", "kind": "counted", "where": "w" * 300} for name in NICS}
    settings = {"NET_DEVICES": ",".join(f"mlx5_{i}:1" for i in range(64))}
    figures = dataclasses.replace(GOOD.results[0].figures, uncounted=reasons, source=sources)
    one = dataclasses.replace(GOOD.results[0], figures=figures, ucx_settings=settings)
    report = Report("over a bed", (one, *BAD.results)).to_dict()
    message = {"kind": "bye", "report": json.loads(json.dumps(report)), "text": ""}
    assert TO_LISTENER["bye"](message, "bye")["report"]["results"][1]["why"]
    side = told(SideReport("initiator", sources=sources, uncounted=reasons))
    assert TO_CONNECTOR["report"]({"kind": "report", "report": json.loads(json.dumps(side))}, "r")


def test_a_planted_link_is_not_written_through_bad_flow(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "x.json").symlink_to(victim)
    write(tmp_path / "x.json", GOOD.to_dict())
    assert victim.read_text() == "mine"
    assert json.loads((tmp_path / "x.json").read_text())["ok"]
    assert not (tmp_path / "x.json").is_symlink()
    (tmp_path / "y.json").mkdir()
    with pytest.raises(StripeError, match=r"y\.json"):
        write(tmp_path / "y.json", GOOD.to_dict())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["victim", "x.json", "y.json"]


@pytest.mark.parametrize("source", [{}, {"x": "y"}, {"kind": "counted"}])
def test_sources_of_the_other_host_that_say_little_bad_flow(
    tmp_path: Path, source: dict[str, str]
) -> None:
    report = json.loads(json.dumps(BAD.to_dict()))
    report["results"][0]["source"] = dict.fromkeys(NICS, source)
    said = TO_LISTENER["bye"]({"kind": "bye", "report": report, "text": ""}, "bye")["report"]
    for name in ("x.html", "x.json", "x.junit.xml"):
        write(tmp_path / name, said)
    assert ("counted" in (tmp_path / "x.html").read_text()) == ("kind" in source)


def test_the_page_shows_the_machine(tmp_path: Path) -> None:
    drawn = picture(TwoProcesses())
    assert drawn.startswith("<svg ")
    file = tmp_path / "r.html"
    write(file, GOOD.to_dict(), drawn)
    page = Page(file.read_text(encoding="utf-8"))
    assert (page.open, page.outside) == ([], [])
    assert "Machine of the initiator" in page.text
    assert "Machine of the initiator" not in Page(written(GOOD, tmp_path / "s.html")).text


def events(report: Report, tmp_path: Path) -> list[dict[str, Any]]:
    found = json.loads(written(report, tmp_path / "r.nvsentinel.json"))
    assert found["version"] == 1
    rows: list[dict[str, Any]] = found["events"]
    return rows


def test_health_events_name_every_nic(tmp_path: Path) -> None:
    rows = events(GOOD, tmp_path)
    assert [row["entitiesImpacted"][0]["entityValue"] for row in rows] == list(NICS)
    assert all(row["isHealthy"] and row["recommendedAction"] == "NONE" for row in rows)
    for row in rows:
        assert set(row) == set(HEALTH_EVENT)
        assert all(isinstance(row[name], HEALTH_EVENT[name]) for name in row)
        assert row["generatedTimestamp"].endswith("Z")
        assert row["processingStrategy"] == "STORE_ONLY"


def test_health_events_of_a_failure_bad_flow(tmp_path: Path) -> None:
    rows = {row["entitiesImpacted"][0]["entityValue"]: row for row in events(BAD, tmp_path)}
    assert [rows[nic]["isHealthy"] for nic in NICS] == [True, True, False, False]
    assert rows["mlx5_2"]["message"] == "WRITE: 0.0% of the bytes, 25.0% were due"
    assert rows["mlx5_2"]["errorCode"] == ["NIXL_STRIPE_SHARE"]
    broken = dataclasses.replace(GOOD.results[0], figures=Figures(error="no route"))
    assert [row["isHealthy"] for row in events(Report("x", (broken,)), tmp_path)] == [False] * 4
    empty = dataclasses.replace(GOOD.results[0], planned=())
    (row,) = events(Report("x", (empty,)), tmp_path)
    assert (row["isHealthy"], row["entitiesImpacted"]) == (False, [])


def test_what_is_no_single_nics_fault_is_an_event_bad_flow(tmp_path: Path) -> None:
    few = dataclasses.replace(GOOD.results[0], expected_nics=8)
    *rows, last = events(Report("x", (few,)), tmp_path)
    assert [row["isHealthy"] for row in rows] == [True] * 4
    assert (last["isHealthy"], last["entitiesImpacted"]) == (False, [])
    assert last["message"] == "WRITE: 4 NIC(s) are planned, 8 are expected"


@pytest.mark.parametrize(
    ("planned", "proof", "words"),
    [(NICS[:1], "bytes", "nothing was proven"), (NICS, "lanes", "judged by UCX's lanes alone")],
)
def test_health_events_claim_no_more_than_was_seen_bad_flow(
    planned: tuple[str, ...], proof: Proof, words: str, tmp_path: Path
) -> None:
    little = dataclasses.replace(GOOD.results[0], planned=planned, proof=proof)
    case = written(Report("x", (little,)), tmp_path / "r.junit.xml")
    assert words in case
    for row in events(Report("x", (little,)), tmp_path):
        assert words in row["message"]
    assert all(row["message"] == "it carried its share" for row in events(GOOD, tmp_path))


def test_in_a_pod_events_name_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_NAME", "node7")
    assert {row["nodeName"] for row in events(GOOD, tmp_path)} == {"node7"}
    monkeypatch.delenv("NODE_NAME")
    assert {row["nodeName"] for row in events(GOOD, tmp_path)} == {socket.gethostname()}
