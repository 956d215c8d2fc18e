# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A NIC's bytes divided among processes: what is told, and what is said not to be."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from counter_trees import CounterTree
from nixl_stripe.cli import main
from nixl_stripe.cli.top import _lines, _plain, _summary_lines
from nixl_stripe.proof.processes import ProcessWatch, divide
from nixl_stripe.proof.watch import Sample
from nixl_stripe.terminal import Screen


def test_bytes_are_divided_by_packets_the_busiest_first() -> None:
    packets = {"mlx5_0": {7: 300, 8: 100, 9: 0}, "mlx5_1": {8: 50}}
    rows = divide(packets, {"mlx5_0": 4.0, "mlx5_1": 2.0}, {7: "train", 8: "eval"}.__getitem__)
    assert [(row.pid, row.command, row.kind) for row in rows] == [
        (7, "train", "inferred"),
        (8, "eval", "inferred"),
    ]
    assert rows[0].gbps == {"mlx5_0": 3.0}
    assert rows[1].gbps == {"mlx5_0": 1.0, "mlx5_1": 2.0}
    assert [row.share for row in rows] == [0.5, 0.5]


def test_bytes_without_packets_are_nobodys_bad_flow() -> None:
    assert divide({"mlx5_0": {7: 0}}, {"mlx5_0": 4.0}, str) == ()
    assert divide({}, {"mlx5_0": 4.0}, str) == ()


def test_packets_are_those_since_the_last_look() -> None:
    seen = {"mlx5_0": {os.getpid(): 10}, "mlx5_1": {}}
    watch = ProcessWatch(["mlx5_0", "mlx5_1:1"], seen, lambda device: (seen[device], ""))
    seen["mlx5_0"] = {os.getpid(): 35, 0: 5}
    seen["mlx5_1"] = {os.getpid(): 4}
    assert watch.gained() == {
        "mlx5_0": {os.getpid(): 25, 0: 5},
        "mlx5_1:1": {os.getpid(): 4},
    }
    assert watch.gained() == {"mlx5_0": {os.getpid(): 0, 0: 0}, "mlx5_1:1": {os.getpid(): 0}}
    assert watch.command(os.getpid()) == Path("/proc/self/comm").read_text().strip()
    assert watch.command(0) == "another PID namespace"
    assert watch.untold == {}


def test_what_cannot_be_told_is_said_bad_flow() -> None:
    answers = {"mlx5_0": ({1: 5}, "RDMA netlink: Operation not permitted")}
    watch = ProcessWatch(["mlx5_0", "eth0"], answers, lambda device: answers[device])
    assert watch.gained() == {}
    assert watch.untold["mlx5_0"] == "RDMA netlink: Operation not permitted"
    assert "a network interface has no queue pairs" in watch.untold["eth0"]
    answers["mlx5_0"] = ({1: 5}, "")
    watch.gained()
    assert "mlx5_0" not in watch.untold


def test_top_says_of_interfaces_that_they_cannot_be_divided_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = CounterTree(tmp_path)
    tree.interface("eth0")
    where = ["top", "--sysfs", str(tree.root), "--interval", "0.1", "--for", "0.1"]
    assert main([*where, "--processes", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert summary["processes"] == []
    assert list(summary["untold"]) == ["eth0"]
    assert main([*where, "--processes"]) == 0
    assert "processes on eth0: a network interface has no queue pairs" in capsys.readouterr().out
    assert main(where) == 0
    assert "processes on" not in capsys.readouterr().out


NAMED = """
import ctypes, sys
ctypes.CDLL(None).prctl(15, b"\\x1b[2J\\nok\\xc2\\x9b\\xff", 0, 0, 0)
print(flush=True)
sys.stdin.read()
"""


def test_a_process_that_chose_its_name_bad_flow() -> None:
    """Linux lets a process give itself any 15 bytes, and shows them to every user."""
    with subprocess.Popen(
        [sys.executable, "-c", NAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        watch = ProcessWatch(["mlx5_0"], ["mlx5_0"], lambda _: ({child.pid: 1}, ""))
        child.communicate()
    assert watch.command(child.pid) == r"\x1b[2J\nok\x9b" + "\ufffd"
    rows = divide({"mlx5_0": {child.pid: 1}}, {"mlx5_0": 1.0}, watch.command)
    sample = Sample(1.0, 1.0, (), rows)
    screen = Screen(io.StringIO())
    for lines in (_plain(sample), _summary_lines(sample), _lines(screen, sample)):
        assert any(r"\x1b[2J\nok\x9b" in line for line in lines)
        assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.parametrize("name", ["plain-name", "kworker/0:1", "(sd-pam)"])
def test_a_name_as_they_are_stays(name: str) -> None:
    rows = divide({"mlx5_0": {7: 1}}, {"mlx5_0": 1.0}, lambda _: name)
    assert any(f"process 7 {name}:" in line for line in _plain(Sample(1.0, 1.0, (), rows)))
