# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""`nixl-stripe export`: the metrics, how they are served, and what they cost."""

from __future__ import annotations

import math
import signal
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
from nixl_stripe.proof import NicNotFoundError
from nixl_stripe.proof.agent_metrics import AgentCollector
from nixl_stripe.proof.exposition import text_of
from nixl_stripe.proof.metrics import NicCollector
from prometheus_client.openmetrics import parser

Values = dict[tuple[str, tuple[str, ...]], float]
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def gb200(tmp_path: Path) -> CounterTree:
    return tree_of(tmp_path, "gb200")


def collector(tree: CounterTree, stripe: str = "all") -> NicCollector:
    names = sorted(nic.name for nic in (tree.root / "class/infiniband").iterdir())
    return NicCollector(names, plan(stripe, None, load(tree.root)), tree.root)


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
    assert [found["nixl_stripe_nic_planned", (f"mlx5_{i}",)] for i in range(4)] == [1, 0, 1, 1]
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


def test_a_nic_that_cannot_be_counted_bad_flow(gb200: CounterTree) -> None:
    with pytest.raises(NicNotFoundError, match="mlx5_9"):
        NicCollector(["mlx5_9"], plan("all", None, load(gb200.root)), gb200.root)


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
def exporting(tree: CounterTree, *options: str) -> Iterator[None]:
    program = "from nixl_stripe.cli import main; raise SystemExit(main())"
    command = (sys.executable, "-c", program, "export", "--sysfs", str(tree.root), *options)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
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
    with exporting(gb200, "--listen", f"127.0.0.1:{free_port}"):
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
    assert 'nixl_stripe_nic_bytes_total{direction="out",nic="mlx5_0"} 0.0' in file.read_text()
    assert [each.name for each in tmp_path.iterdir() if "nixl.prom" in each.name] == ["nixl.prom"]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--listen", "9817"), 2, "--listen '9817': accepted are ADDRESS:PORT"),
        (("--listen", "localhost:9817"), 2, "accepted are ADDRESS:PORT"),
        (("--listen", "127.0.0.1:99999"), 2, "accepted are ADDRESS:PORT"),
        (("--listen", "192.0.2.1:1", "--for", "1"), 1, "--listen 192.0.2.1:1: "),
        (("--listen", "127.0.0.1:1", "--textfile", "x"), 2, "give one of them"),
        (("--textfile", "/nowhere/x.prom"), 1, "--textfile /nowhere/x.prom: No such file"),
        (("--interval", "0"), 2, "--interval 0: accepted are 0.1"),
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
