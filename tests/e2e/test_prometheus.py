# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus scrapes a real `export` and evaluates the rules, in a faster time of its own.

What NICs count is a tree of files that the test writes; a lost NIC is told, even work is not.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from counter_trees import CounterTree
from prometheus_programs import program
from sysfs_machines import MACHINES
from sysfs_trees import write

RULES = Path(__file__).parents[2] / "examples/prometheus/rules.yml"
NICS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3")


class Machine:
    """Four NICs whose counters go on at 400 MB/s each, until they are stopped."""

    def __init__(self, folder: Path) -> None:
        self.tree = CounterTree(write(MACHINES["gb200"](), folder).sys)
        self.working: tuple[str, ...] = NICS
        self._words = dict.fromkeys(NICS, 0)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)
        for nic in NICS:
            self.tree.infiniband(nic)
        self._thread.start()

    def _work(self) -> None:
        last = time.monotonic()
        while not self._end.wait(0.05):
            now = time.monotonic()
            for nic in self.working:
                self._words[nic] += int((now - last) * 1e8)
                folder = self.tree.root / f"class/infiniband/{nic}/ports/1/counters"
                draft = self.tree.root / "draft"
                draft.write_text(f"{self._words[nic]}\n")
                draft.replace((folder / "port_xmit_data").resolve())
            last = now

    def close(self) -> None:
        self._end.set()
        self._thread.join()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def ask(port: int, path: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as got:
            found: dict[str, Any] = json.loads(got.read())["data"]
    except (urllib.error.URLError, ConnectionError):
        return {}
    return found


def firing(port: int) -> set[tuple[str, str]]:
    alerts = ask(port, "/api/v1/alerts").get("alerts", [])
    return {
        (each["labels"]["alertname"], each["labels"].get("nic", ""))
        for each in alerts
        if each["state"] == "firing"
    }


def rated(port: int) -> set[str]:
    """Return the NICs that have a rate: two scrapes have been made."""
    rows = ask(port, "/api/v1/query?query=nixl_stripe:nic_bytes:rate%20%3E%201e6")
    return {row["metric"]["nic"] for row in rows.get("result", [])}


def wait_for(what: str, seen: Any, wanted: Any) -> None:
    """Wait, for a busy machine's sake for long, until a look shows what is wanted."""
    found = None
    for _ in range(300):
        found = seen()
        if wanted(found):
            return
        time.sleep(0.2)
    pytest.fail(f"{what}: the last look showed {found}")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def expected() -> tuple[str, ...]:
    """Return what an operator says of the host."""
    return ("--expect-nics", "4", "--expect-stripe")


@pytest.fixture
def prometheus(machine: Machine, tmp_path: Path, expected: tuple[str, ...]) -> Iterator[int]:
    """Return the port of a Prometheus for which a second is what 15 are in the rules."""
    exported, port = free_port(), free_port()
    fast = re.sub(r"\b15s\b", "1s", RULES.read_text()).replace("[150s]", "[3s]")
    fast = re.sub(r"for: \w+", "for: 2s", fast)
    (tmp_path / "rules.yml").write_text(fast)
    target = f"{{scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{exported}']}}]}}"
    config = tmp_path / "prometheus.yml"
    config.write_text(
        f"rule_files: [rules.yml]\nscrape_configs: [{{job_name: nixl-stripe, {target[1:]}]\n"
    )
    export = (
        *(sys.executable, "-c", "from nixl_stripe.cli import main; main()", "export"),
        *("--listen", f"127.0.0.1:{exported}", "--sysfs", str(machine.tree.root)),
        *expected,
    )
    server = (
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with running(*export), running(*server):
        wait_for("every NIC has a rate", lambda: rated(port), lambda nics: nics == set(NICS))
        yield port


def test_even_work_is_no_alert_and_a_lost_nic_is(machine: Machine, prometheus: int) -> None:
    assert firing(prometheus) == set()
    machine.working = ("mlx5_0", "mlx5_1", "mlx5_3")
    machine.tree.write("class/infiniband/mlx5_2/ports/1/state", "1: DOWN")
    wanted = {("NixlStripeNicLost", "mlx5_2"), ("NixlStripeNicsMissing", "")}
    wait_for("the lost NIC", lambda: firing(prometheus), lambda found: found == wanted)


def test_nics_that_are_left_out_are_an_alert_where_stripe_is_expected(
    machine: Machine, prometheus: int
) -> None:
    machine.working = NICS[:2]
    wanted = {("NixlStripeNotAtWork", "")}
    wait_for("two NICs alone", lambda: firing(prometheus), lambda found: found == wanted)


@pytest.mark.parametrize("expected", [()])
def test_other_traffic_on_one_nic_is_no_alert(machine: Machine, prometheus: int) -> None:
    machine.working = ("mlx5_0",)
    wait_for("one NIC alone", lambda: rated(prometheus), lambda nics: nics == {"mlx5_0"})
    for _ in range(40):
        assert firing(prometheus) == set()
        time.sleep(0.2)
