# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Rates over time, and the verb `top` that prints them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from counter_trees import CounterTree
from nixl_stripe.cli import main
from nixl_stripe.proof import NicNotFoundError
from nixl_stripe.proof.watch import Watch
from sysfs_machines import MACHINES
from sysfs_trees import write

GBIT_WORDS = 10**9 // 8 // 4


@pytest.fixture
def gb200(tmp_path: Path) -> CounterTree:
    """Four NICs that have counted nothing yet."""
    tree = CounterTree(write(MACHINES["gb200"](), tmp_path).sys)
    for index in range(4):
        tree.infiniband(f"mlx5_{index}")
    return tree


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rates_shares_and_errors(gb200: CounterTree) -> None:
    clock = Clock()
    watch = Watch(["mlx5_0", "mlx5_1"], ["mlx5_0:1"], gb200.root, clock)
    gb200.infiniband("mlx5_0", 6 * GBIT_WORDS, 0)
    gb200.infiniband("mlx5_1", 0, 2 * GBIT_WORDS)
    gb200.write("class/infiniband/mlx5_1/ports/1/counters/port_xmit_discards", 3)
    clock.now += 2
    first, second = watch.sample().nics
    assert (first.gbps_out, first.gbps_in, first.share) == (3.0, 0.0, 0.75)
    assert (second.gbps_out, second.gbps_in, second.share) == (0.0, 1.0, 0.25)
    assert (first.planned, second.planned) == (True, False)
    clock.now += 2
    idle = watch.sample()
    assert [row.gbps_out for row in idle.nics] == [0, 0]
    assert (idle.at, idle.seconds) == (4, 2)
    whole = watch.summary()
    assert (whole.seconds, whole.nics[0].gbps_out, whole.nics[0].share) == (4, 1.5, 0.75)


def test_a_planned_nic_that_idles_is_named(gb200: CounterTree) -> None:
    names = [f"mlx5_{index}" for index in range(4)]
    watch = Watch(names, names, gb200.root)
    assert watch.sample().idle == ()
    for name in names[:3]:
        gb200.infiniband(name, GBIT_WORDS)
    assert watch.sample().idle == ("mlx5_3",)


def test_a_few_packets_make_no_nic_idle(gb200: CounterTree) -> None:
    clock = Clock()
    names = [f"mlx5_{index}" for index in range(4)]
    watch = Watch(names, names, gb200.root, clock)
    gb200.infiniband("mlx5_0", 100)
    clock.now += 1
    assert watch.sample().idle == ()
    gb200.infiniband("mlx5_0", GBIT_WORDS)
    clock.now += 1
    assert watch.sample().idle == ("mlx5_1", "mlx5_2", "mlx5_3")


def test_a_nic_that_vanishes_stays_on_show(gb200: CounterTree) -> None:
    watch = Watch(["mlx5_0", "mlx5_1"], [], gb200.root)
    folder, away = (gb200.root / "class/infiniband/mlx5_1").resolve(), gb200.root / "away"
    folder.rename(away)
    assert [row.problem for row in watch.sample().nics] == ["", "its counters went away"]
    away.rename(folder)
    assert [row.problem for row in watch.sample().nics] == ["", ""]
    assert [row.problem for row in watch.summary().nics] == [
        "",
        "for a time its counters went away",
    ]


def test_a_nic_without_counters_is_marked_and_others_go_on(
    gb200: CounterTree, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(gb200.root / "class/infiniband/mlx5_3/ports/1/counters")
    with traffic(gb200, ["mlx5_0", "mlx5_1", "mlx5_2"]):
        assert _top(gb200, "--for", "0.4", "--json") == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert summary["nics"][3]["problem"]
    assert [row["source"] for row in summary["nics"]] == ["sysfs"] * 3 + [""]
    assert summary["idle"] == [], "what it carried is not known"


def test_idle_goes_by_what_a_nic_is_due(gb200: CounterTree) -> None:
    clock = Clock()
    due = {"mlx5_0": 0.7, "mlx5_1": 0.1, "mlx5_2": 0.1, "mlx5_3": 0.1}
    watch = Watch(list(due), due, gb200.root, clock)
    for name, share in due.items():
        gb200.infiniband(name, int(share * GBIT_WORDS) * (name != "mlx5_2"))
    clock.now += 1
    sample = watch.sample()
    assert sample.idle == ("mlx5_2",)
    even = Watch(list(due), list(due), gb200.root, clock)
    for name, share in due.items():
        gb200.infiniband(name, 2 * int(share * GBIT_WORDS))
    clock.now += 1
    assert set(even.sample().idle) == {"mlx5_1", "mlx5_3"}


def test_unknown_nic_bad_flow(gb200: CounterTree) -> None:
    with pytest.raises(NicNotFoundError, match="mlx5_9"):
        Watch(["mlx5_9"], [], gb200.root)


@contextmanager
def traffic(tree: CounterTree, names: list[str]) -> Iterator[None]:
    """Let the counters of `names` go on until the end of the block."""
    stop = threading.Event()

    def count() -> None:
        words = 0
        while not stop.wait(0.02):
            words += GBIT_WORDS // 50
            for name in names:
                path = tree.root / f"class/infiniband/{name}/ports/1/counters/port_xmit_data"
                draft = tree.root / f"{name}.draft"
                draft.write_text(f"{words}\n")
                draft.replace(path.resolve())

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _top(tree: CounterTree, *options: str) -> int:
    return main(["top", "--sysfs", str(tree.root), "--interval", "0.2", *options])


def test_json_lines_and_a_summary(gb200: CounterTree, capsys: pytest.CaptureFixture[str]) -> None:
    with traffic(gb200, ["mlx5_0", "mlx5_1"]):
        assert _top(gb200, "--for", "0.7", "--json") == 0
    *lines, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    intervals = [line["sample"]["interval"] for line in lines]
    assert len(intervals) == 4
    assert sum(intervals) >= 0.65, "0.7 s asked for; each is what a busy machine makes of 0.2"
    summary = last["summary"]
    assert summary["idle"] == ["mlx5_2", "mlx5_3"]
    assert [row["nic"] for row in summary["nics"]] == [f"mlx5_{i}" for i in range(4)]
    assert all(row["planned"] for row in summary["nics"])
    assert summary["nics"][0]["share"] == pytest.approx(0.5, abs=0.05)
    assert 0 < summary["gbps_out"] < 3
    assert summary["nics"][3]["gbps_out"] == 0


def test_plain_text_when_not_a_terminal(
    gb200: CounterTree, capsys: pytest.CaptureFixture[str]
) -> None:
    with traffic(gb200, ["mlx5_0", "mlx5_1"]):
        assert _top(gb200, "--for", "0.4", "--stripe", "2") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["NIC", "out", "Gbit/s"]
    assert re.fullmatch(r"-- \d+\.\d s", lines[1]), "0.2 s, or what a busy machine made of it"
    assert lines[5].split()[:4] == ["mlx5_3", "0.00", "0.00", "0.0%"]
    assert "balance of the 2 planned NIC(s): " in out
    assert "idle although planned" not in out


def test_summary_names_idle_nics(gb200: CounterTree, capsys: pytest.CaptureFixture[str]) -> None:
    with traffic(gb200, ["mlx5_0", "mlx5_1"]):
        _top(gb200, "--for", "0.4")
    assert "idle although planned: mlx5_2, mlx5_3" in capsys.readouterr().out


def test_ctrl_c_ends_with_the_summary(
    gb200: CounterTree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", nap)
    assert _top(gb200) == 0
    out = capsys.readouterr().out
    assert out.count("-- ") == 3
    assert "summary of" in out.splitlines()[-7]


def _run(tree: CounterTree, *options: str, **more: Any) -> subprocess.Popen[str]:
    program = "from nixl_stripe.cli import main; raise SystemExit(main())"
    command = (sys.executable, "-c", program, "top", "--sysfs", str(tree.root), *options)
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more)


def test_sigterm_ends_with_the_summary_too(gb200: CounterTree) -> None:
    process = _run(gb200, "--interval", "0.1", "--json", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + signal.SIGTERM, "")
    assert "summary" in json.loads(out.splitlines()[-1])


def test_a_full_disk_is_one_line_bad_flow(gb200: CounterTree) -> None:
    with Path("/dev/full").open("w") as full:
        process = _run(gb200, "--for", "0.2", stdout=full)
        err = process.communicate(timeout=60)[1]
    assert (process.returncode, err) == (
        1,
        "nixl-stripe: standard output: No space left on device\n",
    )


def test_only_some_nics(gb200: CounterTree, capsys: pytest.CaptureFixture[str]) -> None:
    assert _top(gb200, "--for", "0.2", "--nics", "mlx5_3, mlx5_1,mlx5_3", "--json") == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["nic"] for row in line["summary"]["nics"]] == ["mlx5_3", "mlx5_1"]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--devices", "mlx5_9", "--for", "1"), 1, "'mlx5_9': no such device"),
        (("--devices", "mlx5_0,mlx5_0:1"), 2, "mlx5_0:1 is part of mlx5_0"),
        (("--interval", "0"), 2, "--interval 0: accepted are 0.1"),
        (("--interval", "nan"), 2, "--interval nan: accepted are 0.1"),
        (("--for", "inf"), 2, "--for inf: accepted are times above 0"),
        (("--for", "-1"), 2, "--for -1: accepted are times above 0"),
        (("--stripe", "sideways"), 2, "sideways"),
    ],
)
def test_arguments_bad_flow(
    gb200: CounterTree,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    text: str,
) -> None:
    assert _top(gb200, *options) == code
    message = capsys.readouterr().err
    assert text in message
    assert len(message.splitlines()) == 1


def test_a_machine_without_nics_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = CounterTree(tmp_path / "sys")
    (tree.root / "class/net").mkdir(parents=True)
    assert _top(tree, "--for", "1") == 1
    assert "no NIC to watch" in capsys.readouterr().err
