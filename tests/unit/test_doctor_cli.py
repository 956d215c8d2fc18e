# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe doctor` as a user types it, and how a run of checks behaves as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doctor_patients import Patient
from nixl_stripe.cli import main
from nixl_stripe.doctor import CHECKS, Check, Surroundings, Verdict, examine
from sysfs_machines import MACHINES
from sysfs_trees import write

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("UCX_", "NIXL_", "MX_")) and name != "NIXL_STRIPE_WHEEL_CACHE":
            monkeypatch.delenv(name)


def answers(capsys: Captured, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["doctor", *arguments, "--json"]) == code
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def test_there_are_enough_checks_and_their_names_are_their_own() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names)) >= 20
    assert all(check.about for check in CHECKS)


def test_this_machine_is_examined_whatever_it_has(capsys: Captured) -> None:
    main(["doctor", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in data["checks"]] == [check.name for check in CHECKS]
    for row in data["checks"]:
        assert set(row) == {"name", "status", "detail", "fix"}
        assert row["status"] in ("ok", "warn", "fail", "skip")
        assert bool(row["fix"]) == (row["status"] in ("warn", "fail"))
        assert "the check itself failed" not in row["detail"]
    assert data["ok"] == all(row["status"] != "fail" for row in data["checks"])


def test_a_failure_is_exit_code_1_and_names_its_fix(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answers(capsys, "--only", "parameters")["ok"]
    monkeypatch.setenv("NIXL_UCX_STRIPE", "most")
    data = answers(capsys, "--only", "parameters", code=1)
    assert not data["ok"]
    assert "NIXL_UCX_STRIPE='most'" in data["checks"][0]["detail"]
    assert main(["doctor", "--only", "parameters"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("fail  parameters")
    assert "-> correct the value" in out
    assert out.endswith("1 fail; fix what failed first\n")


def test_a_warning_is_no_failure(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MX_RDMA_NIC_PIN", "auto")
    data = answers(capsys, "--only", "nic-pin", "--only", "plugin-dir")
    assert data["ok"]
    assert [row["status"] for row in data["checks"]] == ["warn", "ok"]


def test_a_warning_is_a_failure_where_that_was_asked_for_bad_flow(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MX_RDMA_NIC_PIN", "auto")
    data = answers(capsys, "--only", "nic-pin", "--strict", code=1)
    assert (data["ok"], data["checks"][0]["status"]) == (False, "warn")
    assert answers(capsys, "--only", "plugin-dir", "--strict")["ok"]


@pytest.mark.parametrize(
    ("machine", "expected", "code"),
    [("gb200", 4, 0), ("gb200", 3, 0), ("gb200", 5, 1), ("no_nics", 0, 0), ("no_nics", 1, 1)],
)
def test_as_many_nics_as_expected(
    tmp_path: Path, capsys: Captured, machine: str, expected: int, code: int
) -> None:
    tree = write(MACHINES[machine](), tmp_path).sys
    data = answers(capsys, "--source", str(tree), "--expect-nics", str(expected), code=code)
    (row,) = [row for row in data["checks"] if row["name"] == "nics-expected"]
    assert row["status"] == ("ok" if code == 0 else "fail")
    assert f"{expected} expected" in row["detail"]


def test_what_is_expected_is_looked_at_whatever_else_is_asked_for(
    tmp_path: Path, capsys: Captured
) -> None:
    tree = write(MACHINES["gb200"](), tmp_path).sys
    where = ("--source", str(tree), "--only", "rates")
    data = answers(capsys, *where, "--expect-nics", "9", code=1)
    assert [row["name"] for row in data["checks"]] == ["rates", "nics-expected"]
    assert [row["name"] for row in answers(capsys, *where)["checks"]] == ["rates"]


def test_another_machine(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXL_UCX_STRIPE", "most")  # of this process, not of that machine
    tree = write(MACHINES["nic_down"](), tmp_path).sys
    rows = {row["name"]: row for row in answers(capsys, "--source", str(tree))["checks"]}
    assert rows["nics"]["detail"].startswith("3 NICs")
    assert rows["nics-excluded"]["status"] == "warn"
    assert rows["pcie-link"]["status"] == "ok"
    for name in ("memlock", "plugin", "parameters"):
        assert rows[name]["status"] == "skip"


def test_a_machine_of_an_xml_file(capsys: Captured) -> None:
    xml = Path(__file__).parents[1] / "data/topologies/hwloc-aws-p5.48xl.xml"
    rows = {row["name"]: row for row in answers(capsys, "--source", str(xml))["checks"]}
    assert rows["nics"]["detail"].startswith("32 NICs")
    assert "UCX before 1.18" in rows["lanes"]["detail"]
    assert rows["rdma-driver"]["detail"] == f"{xml} is no sysfs tree"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "nonsense"], "--only nonsense: accepted: nixl, plugin, "),
        (["--source", "/nowhere"], "/nowhere"),
    ],
)
def test_usage_errors(arguments: list[str], words: str, capsys: Captured) -> None:
    assert main(["doctor", *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_the_list(capsys: Captured) -> None:
    listed = answers(capsys, "--list")["checks"]
    assert [row["name"] for row in listed] == [check.name for check in CHECKS]
    assert main(["doctor", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(CHECKS)


def _raise(_at: Surroundings) -> Verdict:
    raise ZeroDivisionError("by nought")


def test_a_check_that_raises_is_a_failure_and_the_others_go_on(tmp_path: Path) -> None:
    patient = Patient.of(tmp_path)
    checks = [Check("odd", "raises", _raise), next(c for c in CHECKS if c.name == "nics")]
    report = examine(patient.surroundings, checks)
    odd, nics = report.rows
    assert (odd.status, nics.status) == ("fail", "ok")
    assert odd.detail == "the check itself failed: ZeroDivisionError: by nought"
    assert "odd" in odd.fix
    assert not report.ok
    assert report.summary() == "1 fail, 1 ok"


def test_lines_fit_the_terminal(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tree = write(MACHINES["container"](), tmp_path).sys
    main(["doctor", "--source", str(tree), "--only", "nics-excluded", "--only", "nics"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
