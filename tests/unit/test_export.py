# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe export`: the metrics, how they are served, and what they cost."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
from agent_texts import agent_text
from counter_trees import CounterTree, tree_of
from nixl_stripe.cli import main
from nixl_stripe.planning.planner import load, plan
from nixl_stripe.planning.stripe_plan import StripePlan
from nixl_stripe.proof import NicNotFoundError
from nixl_stripe.proof.agent_metrics import AgentCollector
from nixl_stripe.proof.exposition import text_of
from nixl_stripe.proof.metrics import PLAN_S, Expected, NicCollector
from nixl_stripe.proof.text_file import TextFile
from prometheus_client.openmetrics import parser

Values = dict[tuple[str, tuple[str, ...]], float]
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def gb200(tmp_path: Path) -> CounterTree:
    return tree_of(tmp_path, "gb200")


def collector(tree: CounterTree, stripe: str = "all", **more: Any) -> NicCollector:
    return NicCollector(lambda: plan(stripe, None, load(tree.root)), None, tree.root, **more)


def values(made: NicCollector) -> Values:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in made.collect()
        for sample in family.samples
    }


def test_bytes_start_at_nothing_and_grow(gb200: CounterTree) -> None:
    gb200.infiniband("mlx5_0", 1000, 1000)
    made = collector(gb200)
    assert values(made)["nixl_stripe_nic_bytes_total", ("mlx5_0", "out")] == 0
    gb200.infiniband("mlx5_0", 1010, 1001)
    found = values(made)
    assert found["nixl_stripe_nic_bytes_total", ("mlx5_0", "out")] == 40
    assert found["nixl_stripe_nic_bytes_total", ("mlx5_0", "in")] == 4
    gb200.infiniband("mlx5_0", 3, 0)  # the device was reset
    assert values(made)["nixl_stripe_nic_bytes_total", ("mlx5_0", "out")] == 52


def test_the_plan_beside_the_figures(gb200: CounterTree) -> None:
    gb200.write("class/infiniband/mlx5_1/ports/1/state", "1: DOWN")
    found = values(collector(gb200))
    assert [found["nixl_stripe_nic_planned", (f"mlx5_{i}",)] for i in range(4)] == [1] * 4
    assert [found["nixl_stripe_nic_due_share", (f"mlx5_{i}",)] > 0 for i in range(4)] == [
        *(True, False, True, True)
    ]
    assert [found["nixl_stripe_nic_up", (f"mlx5_{i}",)] for i in range(4)] == [1, 0, 1, 1]
    assert found["nixl_stripe_nic_due_share", ("mlx5_0",)] == pytest.approx(1 / 3)
    assert found["nixl_stripe_planned_nics", ()] == 3
    assert found["nixl_stripe_rails", ()] == 3
    assert found["nixl_stripe_nic_source_info", ("mlx5_0", "sysfs", "counted")] == 1
    assert found["nixl_stripe_ucx_setting_info", ("MAX_RMA_RAILS", "3")] == 1


def test_counters_that_went_away_are_not_trusted_bad_flow(gb200: CounterTree) -> None:
    made = collector(gb200)
    assert values(made)["nixl_stripe_nic_trusted", ("mlx5_2",)] == 1
    gb200.write("class/infiniband/mlx5_2/ports/1/counters/port_xmit_data", "")
    found = values(made)
    assert found["nixl_stripe_nic_trusted", ("mlx5_2",)] == 0
    assert found["nixl_stripe_nic_trusted", ("mlx5_1",)] == 1


def test_a_nic_that_is_not_there_bad_flow(gb200: CounterTree) -> None:
    with pytest.raises(NicNotFoundError, match="mlx5_9"):
        NicCollector(lambda: plan("all", None, load(gb200.root)), ("mlx5_9",), gb200.root)


def nic_gauge(found: Values, what: str) -> dict[str, float]:
    name = f"nixl_stripe_nic_{what}"
    return {labels[0]: value for (each, labels), value in found.items() if each == name}


def test_a_lost_nic_stays_the_plans_also_over_a_restart(gb200: CounterTree) -> None:
    made = collector(gb200)
    assert set(nic_gauge(values(made), "planned").values()) == {1}
    gb200.write("class/infiniband/mlx5_3/ports/1/state", "1: DOWN")
    for each in (made, collector(gb200)):
        found = values(each)
        assert (nic_gauge(found, "up")["mlx5_3"], nic_gauge(found, "planned")["mlx5_3"]) == (0, 1)
        assert found["nixl_stripe_planned_nics", ()] == 3
    gb200.write("class/infiniband/mlx5_3/ports/1/state", "4: ACTIVE")
    found = values(made)
    assert nic_gauge(found, "up")["mlx5_3"] == 1
    assert nic_gauge(found, "due_share")["mlx5_3"] == 0.25


def test_a_nic_that_the_policy_does_not_take_is_not_lost_bad_flow(gb200: CounterTree) -> None:
    gb200.write("class/infiniband/mlx5_3/ports/1/state", "1: DOWN")
    assert nic_gauge(values(collector(gb200, "^mlx5_3")), "planned")["mlx5_3"] == 0
    assert nic_gauge(values(collector(gb200, "2")), "planned")["mlx5_3"] == 0


def test_nics_that_go_away_and_come_later(gb200: CounterTree) -> None:
    folder, away = gb200.root / "class/infiniband", gb200.root / "away"
    (folder / "mlx5_2").rename(away)
    made = collector(gb200, expected=Expected(nics=4))
    found = values(made)
    assert sorted(nic_gauge(found, "up")) == ["mlx5_0", "mlx5_1", "mlx5_3"]
    assert found["nixl_stripe_expected_nics", ()] == 4
    assert found["nixl_stripe_planned_nics", ()] == 3
    away.rename(folder / "mlx5_2")
    found = values(made)
    assert nic_gauge(found, "planned")["mlx5_2"] == nic_gauge(found, "trusted")["mlx5_2"] == 1
    assert found["nixl_stripe_planned_nics", ()] == 4
    (folder / "mlx5_2").rename(away)
    found = values(made)
    assert (nic_gauge(found, "up")["mlx5_2"], nic_gauge(found, "planned")["mlx5_2"]) == (0, 1)


def test_a_machine_without_nics_is_served(tmp_path: Path) -> None:
    tree = CounterTree(tmp_path / "sys")
    (tree.root / "class/net").mkdir(parents=True)
    file = tmp_path / "x.prom"
    options = ("--textfile", str(file), "--for", "0.1", "--expect-nics", "2", "--expect-stripe")
    assert main(["export", "--sysfs", str(tree.root), *options]) == 0
    text = file.read_text()
    assert "nixl_stripe_expected_nics 2" in text
    assert "nixl_stripe_planned_nics 0" in text
    assert "nixl_stripe_expect_stripe 1" in text


def test_the_plan_is_made_anew_now_and_then(gb200: CounterTree) -> None:
    now = [0.0]
    made: list[int] = []

    def make() -> StripePlan:
        made.append(1)
        if len(made) > 2:
            raise ValueError("a NIC that it names is gone")
        return plan("all", None, load(gb200.root))

    one = NicCollector(make, None, gb200.root, clock=lambda: now[0])
    values(one)
    assert len(made) == 1, "nothing has changed"
    now[0] = PLAN_S
    values(one)
    assert len(made) == 2
    now[0] = 2 * PLAN_S
    assert values(one)["nixl_stripe_planned_nics", ()] == 4, "the last one holds"
    assert len(made) == 3


def test_one_nic_without_counters_is_marked_and_others_go_on(gb200: CounterTree) -> None:
    counters = gb200.root / "class/infiniband/mlx5_3/ports/1/counters"
    shutil.rmtree(counters)
    found = values(collector(gb200))
    assert nic_gauge(found, "trusted") == {"mlx5_0": 1, "mlx5_1": 1, "mlx5_2": 1, "mlx5_3": 0}
    assert nic_gauge(found, "up")["mlx5_3"] == 1
    assert ("nixl_stripe_nic_bytes_total", ("mlx5_3", "out")) not in found


def test_interfaces_of_pods_are_no_labels(tmp_path: Path) -> None:
    tree = CounterTree(tmp_path / "sys")
    for name in ("eth0", "veth12ab", "docker0"):
        tree.interface(name)
    (tree.root / "class/net/eth0/device").mkdir()
    assert set(nic_gauge(values(collector(tree)), "up")) == {"eth0"}


def test_series_are_a_small_multiple_of_the_nics(tmp_path: Path) -> None:
    few = len(values(collector(tree_of(tmp_path / "few", "gb200"))))
    many = len(values(collector(tree_of(tmp_path / "many", "p5"))))
    assert many - few <= 10 * (32 - 4)


def test_a_scrape_of_32_nics_takes_less_than_5_ms_of_processor(tmp_path: Path) -> None:
    """With an agent that uses all of them, in the form that Prometheus asks for."""
    nics = collector(tree_of(tmp_path / "tree", "p5"))
    names = [labels[0] for name, labels in values(nics) if name == "nixl_stripe_nic_up"]
    assert len(names) == 32
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/a.prom").write_text(agent_text(out=dict.fromkeys(names, 10**15)))
    registry = prometheus_client.CollectorRegistry()
    registry.register(nics)
    registry.register(AgentCollector(tmp_path / "agents"))
    assert text_of(registry.collect()).count(b"\nnixl_stripe_agent_intended_bytes_total{") == 64
    least = math.inf
    for _ in range(200):  # beside other programs caches are cold: one undisturbed scrape is enough
        start = time.thread_time()
        text_of(registry.collect())
        least = min(least, time.thread_time() - start)
        if least < 5e-3:
            return
    pytest.fail(f"no scrape took less than {least * 1e3:.2f} ms")


@contextmanager
def exporting(
    tree: CounterTree, *options: str, by: int = signal.SIGINT, ended: int = 0
) -> Iterator[None]:
    program = "from nixl_stripe.cli import main; raise SystemExit(main())"
    command = (sys.executable, "-c", program, "export", "--sysfs", str(tree.root), *options)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.send_signal(by)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == ended
    assert len(said.splitlines()) == 1, "its address, and nothing of Ctrl-C"


def answer(port: int, accept: str = OPEN_METRICS) -> tuple[str, str] | None:
    """Return the type and the text of an answer; None while nobody answers."""
    address = f"http://127.0.0.1:{port}/metrics"
    request = urllib.request.Request(address, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=10) as got:  # noqa: S310
            return got.headers["Content-Type"], got.read().decode()
    except urllib.error.URLError:
        return None


def scraped(port: int, accept: str = OPEN_METRICS) -> tuple[str, str]:
    for _ in range(600):
        found = answer(port, accept)
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("nobody answers")


def test_openmetrics_over_http_to_who_asks_for_it(gb200: CounterTree, free_port: int) -> None:
    with exporting(
        gb200, "--listen", f"localhost:{free_port}", by=signal.SIGTERM, ended=128 + signal.SIGTERM
    ):
        kind, text = scraped(free_port)
        plain_kind, plain = scraped(free_port, "text/plain")
    assert (kind.split(";")[0], plain_kind.split(";")[0]) == (
        "application/openmetrics-text",
        "text/plain",
    )
    parse: Any = parser.text_string_to_metric_families  # it has no types
    families = {each.name: each for each in parse(text)}
    assert len(families["nixl_stripe_nic_bytes"].samples) == 8
    assert families["nixl_stripe_nic_bytes"].type == "counter"
    assert "# TYPE nixl_stripe_nic_bytes_total counter" in plain


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_text_file_appears_in_one_piece(gb200: CounterTree, tmp_path: Path) -> None:
    file = tmp_path / "nixl.prom"
    options = ("--textfile", str(file), "--interval", "0.1", "--for", "0.3")
    assert main(["export", "--sysfs", str(gb200.root), *options]) == 0
    assert 'nixl_stripe_nic_bytes_total{direction="out",nic="mlx5_0"} 0\n' in file.read_text()
    assert [each.name for each in tmp_path.iterdir() if "nixl.prom" in each.name] == ["nixl.prom"]


def test_a_text_file_may_be_read_by_others(gb200: CounterTree, tmp_path: Path) -> None:
    file = tmp_path / "nixl.prom"
    before = os.umask(0o077)
    try:
        assert TextFile(file, collector(gb200), 7).write() == ""
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    text = file.read_text()
    assert "nixl_stripe_write_interval_seconds 7" in text
    told = re.search(r"(?m)^nixl_stripe_written_timestamp_seconds (\S+)$", text)
    assert told
    assert abs(float(told[1]) - file.stat().st_mtime) < 60


def test_a_full_disk_ends_no_export_bad_flow(
    gb200: CounterTree,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = iter(["", "No space left on device", "No space left on device", "", ""])
    monkeypatch.setattr(TextFile, "write", lambda _: next(answers, ""))
    options = ("--textfile", str(tmp_path / "x.prom"), "--interval", "0.1", "--for", "0.6")
    assert main(["export", "--sysfs", str(gb200.root), *options]) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in said] == [
        "No space left on device",
        "it is written again",
    ]


@pytest.mark.parametrize("kind", ["link", "pipe", "file"])
def test_what_others_planted_under_its_name_is_not_written_through_bad_flow(
    gb200: CounterTree, tmp_path: Path, kind: str
) -> None:
    victim, planted = tmp_path / "victim", tmp_path / "x.prom"
    victim.write_text("mine")
    victim.chmod(0o600)
    if kind == "link":
        planted.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(planted)
    else:
        planted.hardlink_to(victim)
    assert TextFile(tmp_path / "x.prom", collector(gb200), 1).write() == ""
    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("mine", 0o600)
    assert (tmp_path / "x.prom").stat().st_nlink == 1
    assert not (tmp_path / "x.prom").is_symlink()
    assert not list(tmp_path.glob(".*"))


def test_a_draft_that_could_not_be_written_is_removed_bad_flow(
    gb200: CounterTree, tmp_path: Path
) -> None:
    (tmp_path / "x.prom").mkdir()
    assert TextFile(tmp_path / "x.prom", collector(gb200), 1).write() == "Is a directory"
    assert [each.name for each in tmp_path.iterdir() if "x.prom" in each.name] == ["x.prom"]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--listen", "127.0.0.1:99999"), 2, "accepted is HOST, HOST:PORT"),
        (("--listen", "::1:9817"), 2, "stands in brackets, [fe80::1]:9817"),
        (("--listen", "no.such.host.invalid:1"), 1, "--listen no.such.host.invalid:1: "),
        (("--listen", "192.0.2.1:1", "--for", "1"), 1, "--listen 192.0.2.1:1: "),
        (("--listen", "127.0.0.1:1", "--textfile", "x"), 2, "give one of them"),
        (("--textfile", "/nowhere/x.prom"), 1, "--textfile /nowhere/x.prom: No such file"),
        (("--textfile", "x.txt"), 2, "--textfile x.txt: accepted are names that end in .prom"),
        (("--interval", "0"), 2, "--interval 0: accepted are 0.1"),
        (("--interval", "nan"), 2, "--interval nan: accepted are 0.1"),
        (("--interval", "inf"), 2, "--interval inf: accepted are 0.1"),
        (("--for", "nan"), 2, "--for nan: accepted are times above 0"),
        (("--for", "inf"), 2, "--for inf: accepted are times above 0"),
        (("--expect-nics", "0"), 2, "--expect-nics 0: accepted are 1 and more"),
        (("--devices", "mlx5_0,mlx5_0:1"), 2, "mlx5_0:1 is part of mlx5_0"),
        (("--devices", " , "), 2, "accepted are names, separated by commas"),
        (("--for", "0"), 2, "--for 0: accepted are times above 0"),
        (("--stripe", "sideways"), 2, "sideways"),
        (("--devices", "mlx5_9"), 1, "'mlx5_9': no such device"),
    ],
)
def test_arguments_bad_flow(
    gb200: CounterTree,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    text: str,
) -> None:
    assert main(["export", "--sysfs", str(gb200.root), *options]) == code
    message = capsys.readouterr().err
    assert text in message
    assert len(message.splitlines()) == 1


def test_without_the_extra_it_says_what_to_install_bad_flow(
    gb200: CounterTree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    assert main(["export", "--sysfs", str(gb200.root)]) == 1
    assert "pip install 'nixl-stripe[metrics]'" in capsys.readouterr().err
