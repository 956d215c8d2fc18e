# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe verify` and `top` as a user runs them, over real rails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from listeners import TOKEN
from nixl_stripe.lab import Rails
from nixl_stripe.lab.job import Nixl
from nixl_stripe.verify import Request, verify

pytestmark = pytest.mark.rails

#: Mbit/s of each rail: four of them need a small part of one core.
MBIT = 200

COMMAND = [sys.executable, "-c", "from nixl_stripe.cli import main; raise SystemExit(main())"]
RAILS = ["rail0", "rail1", "rail2", "rail3"]


@pytest.fixture(scope="module", autouse=True)
def _possible(needs_rails: None) -> None:
    pass


def run(*arguments: str) -> tuple[int, Any, str]:
    """Return exit code, JSON and stderr of a verification on a bed of slow rails."""
    done = subprocess.run(
        [
            *(*COMMAND, "verify", "--bed", "tcp", "--mbit", str(MBIT), "--size", "8M", "--json"),
            *("--repeats", "1", *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_patched_passes_with_four_even_rails(striped: Path) -> None:
    code, report, progress = run("--nixl", str(striped))
    assert code == 0
    (result,) = report["results"]
    assert report["ok"] is result["ok"] is True
    assert (result["op"], result["proof"]) == ("WRITE", "bytes")
    assert result["planned"] == RAILS
    for name in RAILS:
        assert result["share"][name] == pytest.approx(0.25, abs=0.02)
        assert result["lanes"][name] == pytest.approx(0.25, abs=0.01)
        assert result["forecast"][name] == pytest.approx(0.25, abs=0.01)
    assert sum(result["bytes"].values()) >= 8 << 20
    assert result["ceiling_gbps"] == pytest.approx(4 * MBIT * 1e-3)
    # Each limit begins with a full bucket: 6 % of these 8 MiB.
    assert 0 < result["gbps"] < 1.1 * result["ceiling_gbps"]
    assert set(result["stock"]["lanes"]) == {"rail0", "rail1"}
    assert "WRITE: 1 transfer(s)" in progress


def test_stock_plugin_fails_and_says_how_to_mend_it_bad_flow(stock: Path) -> None:
    code, report, _ = run("--nixl", str(stock), "--no-stock")
    assert code == 1
    (result,) = report["results"]
    assert result["verified"] is True
    assert result["short"] == ["rail2", "rail3"]
    assert "is the stock one" in result["causes"][0]["text"]
    assert result["causes"][0]["fix"] == f"nixl-stripe patch {stock}"


@pytest.mark.parametrize(
    ("options", "short", "text", "fix"),
    [
        (
            ("--env", "UCX_MAX_RMA_RAILS=2"),
            ["rail2", "rail3"],
            "at both ends, UCX_MAX_RMA_RAILS='2'",
            "unset UCX_MAX_RMA_RAILS",
        ),
        (("--env", "UCX_RNDV_THRESH=8k"), RAILS[1:], "UCX_RNDV_THRESH='8k'", "unset"),
        (("--op", "read"), RAILS[1:], "a READ over TCP", "--op write"),
        (("--size", "8K", "--buffers", "300"), RAILS[2:], "too small for 4 NICs", "--size 25K"),
    ],
)
def test_what_undoes_striping_is_named_bad_flow(
    striped: Path, options: tuple[str, ...], short: list[str], text: str, fix: str
) -> None:
    code, report, _ = run("--nixl", str(striped), "--no-stock", *options)
    (result,) = report["results"]
    assert (code, result["verified"], result["short"]) == (1, True, short)
    assert any(text in each["text"] and fix in each["fix"] for each in result["causes"])


def test_other_parameters_plan_other_nics(striped: Path) -> None:
    code, report, _ = run("--nixl", str(striped), "--no-stock", "--stripe", "=rail1,rail2")
    assert code == 0, report
    assert report["results"][0]["planned"] == ["rail1", "rail2"]


def test_a_dead_nic_is_not_planned_and_the_rest_share(striped: Path) -> None:
    with Rails(4, MBIT) as ground:
        ground.set_state(2, up=False)
        report = verify(Request(8 << 20, repeats=1, stock=False, nixl=Nixl.find(striped)), ground)
    (result,) = report.results
    assert result.ok, result.describe()
    assert result.planned == ("rail0", "rail1", "rail3")
    assert "down" in result.excluded["rail2"]


def test_a_nic_that_the_target_lacks_bad_flow(striped: Path) -> None:
    """The target's devices are limited, so the initiator's plan cannot come true."""
    code, report, _ = run(
        *("--nixl", str(striped), "--no-stock", "--peer-env", "NIXL_UCX_DEVICE_LIST=rail0,rail1")
    )
    (result,) = report["results"]
    assert (code, result["short"]) == (1, ["rail2", "rail3"])
    assert any("4 NIC(s) here" in each["text"] for each in result["causes"])


def test_nothing_planned_is_nothing_proven_bad_flow(striped: Path) -> None:
    code, report, _ = run("--nixl", str(striped), "--no-stock", "--stripe", "off")
    (result,) = report["results"]
    assert (code, result["verified"], result["planned"]) == (1, True, [])
    assert "no NIC is planned" in result["causes"][0]["text"]


def test_two_hosts_and_top(rails: Rails, striped: Path, tmp_path: Path) -> None:
    """Listener and connector in namespaces of their own, `top` beside the connector."""
    mine, watched = tmp_path / "mine.json", tmp_path / "top.json"
    token = tmp_path / "token"
    token.write_text(TOKEN.text)
    common = ["--nixl", str(striped), "--json", "--token-file", str(token)]
    connect = [*COMMAND, "verify", "--connect", "10.77.0.2:18600", "--size", "8M", *common]
    connect += ["--repeats", "2", "--no-stock"]
    top = [*COMMAND, "top", "--for", "60", "--interval", "0.2", "--json"]
    script = (
        "import subprocess, sys, signal, json\n"
        "connect, top, mine, watched = json.loads(sys.argv[1])\n"
        "watch = subprocess.Popen(top, stdout=open(watched, 'w'))\n"
        "code = subprocess.run(connect, stdout=open(mine, 'w')).returncode\n"
        "watch.send_signal(signal.SIGINT)\n"
        "sys.exit(code or watch.wait(20))\n"
    )
    order = json.dumps([connect, top, str(mine), str(watched)])
    ended = rails.run_programs(
        {
            "initiator": [sys.executable, "-c", script, order],
            "target": [*COMMAND, "verify", "--listen", "10.77.0.2:18600", *common],
        },
        limit_s=90,
    )
    assert ended["initiator"].status == 0, ended
    assert ended["target"].status == 0, ended["target"].output
    report = json.loads(mine.read_text())
    (result,) = report["results"]
    assert result["ok"]
    assert result["proof"] == "bytes"
    assert sorted(result["planned"]) == RAILS
    heard = ended["target"].output
    assert json.loads(heard[heard.index("{\n") :]) == report
    *_, last = [json.loads(line) for line in watched.read_text().splitlines()]
    shares = {row["nic"]: row["share"] for row in last["summary"]["nics"]}
    assert sorted(shares) == RAILS
    assert all(part == pytest.approx(0.25, abs=0.05) for part in shares.values())
    assert last["summary"]["idle"] == []


def test_the_listener_goes_away_bad_flow(rails: Rails, striped: Path, tmp_path: Path) -> None:
    """A peer that speaks and then dies: one line, exit code 1, at both ends nothing left."""
    quitter = (
        "from nixl_stripe.lab.remote import Address, Door, Token\n"
        "from nixl_stripe.verify import messages\n"
        f"with Door(Address('10.77.0.2', 18601), Token({TOKEN.text!r}).key(), print) as door:\n"
        "    link, _, _ = door.admit(messages.TO_LISTENER)\n"
        "    link.send(**messages.hello())\n"
        "    link.receive(20, 'case')\n"
        "    link.close()\n"
    )
    token = tmp_path / "token"
    token.write_text(TOKEN.text)
    connect = [*COMMAND, "verify", "--connect", "10.77.0.2:18601", "--nixl", str(striped)]
    ended = rails.run_programs(
        {
            "initiator": [*connect, "--token-file", str(token)],
            "target": [sys.executable, "-c", quitter],
        },
        limit_s=60,
    )
    assert ended["initiator"].status == 1
    assert "nixl-stripe: the other side closed the connection" in ended["initiator"].output
    assert "Traceback" not in ended["initiator"].output


def test_ctrl_c_leaves_nothing_behind_bad_flow(striped: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "verify", "--bed", "tcp", "--mbit", "1", "--nixl", str(striped)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert "transfer(s)" in process.stderr.readline()
    time.sleep(1)
    children = _children(process.pid)
    assert children
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "nixl-stripe: interrupted; everything that was started is gone"
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


def _children(pid: int) -> list[int]:
    """Return all processes below `pid`."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        for task in Path(f"/proc/{one}/task").iterdir():
            words = (task / "children").read_text().split()
            found += [int(word) for word in words]
            left += [int(word) for word in words]
    return found


def test_two_processes_of_this_host_are_judged_by_lanes(striped: Path) -> None:
    """No byte passes a NIC on one host, and the report says so instead of claiming it."""
    done = subprocess.run(
        [*COMMAND, "verify", "--nixl", str(striped), "--size", "4M", "--repeats", "1", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith(("UCX_", "NIXL_"))},
    )
    report = json.loads(done.stdout)
    assert any("shared memory" in note for note in report["notes"])
    for result in report["results"]:
        assert result["verified"] is True
        assert result["proof"] in ("lanes", "bytes")
